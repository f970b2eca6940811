#include "encdns_resolver.h"

#include "wire/bounds.h"
#include "wire/encdns.h"

/** Largest value that we encode: 255 IPv6 addresses, an ADN and SvcParams */
#define VALUE_MAX 8192

/**
 * A resolver's SvcParams. They point into the resolver.
 */
static void fill_params(encdns_resolver_t *resolver, struct svcparams *params)
{
	enumerator_t *enumerator;
	char *protocol;

	if (resolver->alpn)
	{
		enumerator = resolver->alpn->create_enumerator(resolver->alpn);
		while (params->n_alpn < SVCPARAMS_ALPN_MAX &&
			   enumerator->enumerate(enumerator, &protocol))
		{
			params->alpn[params->n_alpn++] = span_from_string(protocol);
		}
		enumerator->destroy(enumerator);
	}
	params->has_port = resolver->port != 0;
	params->port = resolver->port;
	if (resolver->dohpath)
	{
		params->has_dohpath = TRUE;
		params->dohpath = span_from_string(resolver->dohpath);
	}
}

/*
 * Described in header
 */
encdns_attribute_t *encdns_resolver_encode(encdns_resolver_t *resolver,
										   u_int family,
										   enum wire_message message)
{
	chunk_t *addresses = &resolver->addresses[family];
	struct encdns encdns = {
		.priority = resolver->priority,
		.addresses = span_of(addresses->ptr, addresses->len),
		.adn = span_from_string(resolver->adn ?: ""),
	};
	uint8_t buf[VALUE_MAX];
	const char *why;
	size_t len;

	fill_params(resolver, &encdns.params);
	if (encdns_encode(encdns_families[family], message, &encdns, buf,
					  sizeof(buf), &len, &why))
	{
		DBG1(DBG_CFG, "encdns: cannot %s resolver '%s': %s",
			 message == WIRE_REPLY ? "hand out" : "suggest", resolver->name, why);
		return NULL;
	}
	return encdns_attribute_create(encdns_families[family],
								   chunk_create(buf, len));
}
