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

/*
 * Described in header
 */
bool encdns_resolver_is_internal(encdns_resolver_t *resolver,
								 enum enc_dns_kind kind)
{
	char *protocol = kind == ENC_DNS_DOT ? "dot" : "h2", *current;
	uint16_t port = kind == ENC_DNS_DOT ? 853 : 443;
	enumerator_t *enumerator;
	bool found = FALSE;

	enumerator = resolver->alpn->create_enumerator(resolver->alpn);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = streq(current, protocol);
	}
	enumerator->destroy(enumerator);
	return found && (!resolver->port || resolver->port == port);
}

/**
 * All addresses as IPv6 addresses, the IPv4 ones mapped (RFC 4291, section 2.5.5.2).
 */
static chunk_t map_addresses(encdns_resolver_t *resolver)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	chunk_t four = resolver->addresses[0], mapped = chunk_empty;

	for (; four.len; four = chunk_skip(four, 4))
	{
		mapped = chunk_cat("mcc", mapped, chunk_from_thing(prefix),
						   chunk_create(four.ptr, 4));
	}
	return chunk_cat("mc", mapped, resolver->addresses[1]);
}

/*
 * Described in header
 */
encdns_attribute_t *encdns_resolver_encode_internal(encdns_resolver_t *resolver,
										uint16_t type, enum enc_dns_kind kind)
{
	encdns_attribute_t *attribute = NULL;
	chunk_t addresses = map_addresses(resolver);
	struct enc_dns enc_dns = {
		.outside = resolver->outside,
		.kind = kind,
		.addresses = span_of(addresses.ptr, addresses.len),
		.adn = span_from_string(resolver->adn),
	};
	uint8_t buf[VALUE_MAX];
	const char *why = "it is too long";
	size_t len;

	if (enc_dns_encode(WIRE_REPLY, &enc_dns, buf, sizeof(buf), &len, &why))
	{
		DBG1(DBG_CFG, "encdns: cannot hand out resolver '%s': %s",
			 resolver->name, why);
	}
	else
	{
		attribute = encdns_attribute_create(type, chunk_create(buf, len));
	}
	chunk_free(&addresses);
	return attribute;
}
