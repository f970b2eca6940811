#include "encdns_handler.h"
#include "encdns_resolver.h"

#include "wire/bounds.h"
#include "wire/digest.h"
#include "wire/domain.h"

typedef struct private_encdns_handler_t private_encdns_handler_t;

/**
 * Private data of an encdns_handler_t object.
 */
struct private_encdns_handler_t {

	/**
	 * Public interface
	 */
	encdns_handler_t public;

	/**
	 * The configuration in force
	 */
	encdns_current_t *current;

	/**
	 * Who asked
	 */
	encdns_connections_t *connections;
};

/**
 * What is asked for per family of addresses, in the order of encdns_families.
 */
static const struct {
	int family;
	char *request;
	uint16_t plain;
} families[] = {
	{ AF_INET, "ipv4", WIRE_INTERNAL_IP4_DNS },
	{ AF_INET6, "ipv6", WIRE_INTERNAL_IP6_DNS },
};

/**
 * Is a family to be asked for?
 */
static bool wants_family(encdns_laptop_t *laptop, linked_list_t *vips, int i)
{
	enumerator_t *enumerator;
	bool wants;
	host_t *vip;

	if (!streq(laptop->request, "auto"))
	{
		return streq(laptop->request, "both") ||
			   streq(laptop->request, families[i].request);
	}
	/* without a virtual IP there is nothing to go by */
	wants = !vips->get_count(vips);
	enumerator = vips->create_enumerator(vips);
	while (!wants && enumerator->enumerate(enumerator, &vip))
	{
		wants = vip->get_family(vip) == families[i].family;
	}
	enumerator->destroy(enumerator);
	return wants;
}

/**
 * Append an attribute.
 */
static void append(linked_list_t *attributes, uint16_t type, chunk_t value)
{
	attributes->insert_last(attributes, encdns_attribute_create(type, value));
}

/**
 * Ask for resolvers of a family: those that are suggested, or any (I1, I5). What is suggested with
 * addresses of the other family alone is no suggestion for this one.
 */
static void ask_resolvers(linked_list_t *attributes, encdns_laptop_t *laptop,
						  u_int family)
{
	encdns_attribute_t *attribute;
	encdns_resolver_t *resolver;
	enumerator_t *enumerator;
	bool suggested = FALSE;

	enumerator = laptop->suggestions->create_enumerator(laptop->suggestions);
	while (enumerator->enumerate(enumerator, &resolver))
	{
		if (resolver->addresses[!family].len && !resolver->addresses[family].len)
		{
			continue;
		}
		attribute = encdns_resolver_encode(resolver, family, WIRE_REQUEST);
		if (attribute)
		{
			attributes->insert_last(attributes, attribute);
			suggested = TRUE;
		}
	}
	enumerator->destroy(enumerator);
	if (!suggested)
	{
		append(attributes, encdns_families[family], chunk_empty);
	}
}

/**
 * Ask for each kind of INTERNAL_ENC_DNS once (I32).
 */
static void ask_internal(linked_list_t *attributes, uint16_t type)
{
	static const enum enc_dns_kind kinds[] = { ENC_DNS_DOT, ENC_DNS_DOH };
	uint8_t octet;
	size_t len;
	u_int i;

	for (i = 0; type && i < countof(kinds); i++)
	{
		struct enc_dns enc_dns = { .kind = kinds[i] };

		if (!enc_dns_encode(WIRE_REQUEST, &enc_dns, &octet, sizeof(octet), &len,
							NULL))
		{
			append(attributes, type, chunk_from_thing(octet));
		}
	}
}

/**
 * Ask for domains, those that are suggested or any (I3).
 */
static void ask_domains(linked_list_t *attributes, encdns_laptop_t *laptop)
{
	enumerator_t *enumerator;
	uint8_t buf[NAME_SIZE];
	char *domain;
	size_t len;

	if (!laptop->request_domains)
	{
		append(attributes, WIRE_INTERNAL_DNS_DOMAIN, chunk_empty);
		return;
	}
	enumerator = laptop->request_domains->create_enumerator(
													laptop->request_domains);
	while (enumerator->enumerate(enumerator, &domain))
	{
		if (!domain_encode(WIRE_REQUEST, span_from_string(domain), buf,
						   sizeof(buf), &len, NULL))
		{
			append(attributes, WIRE_INTERNAL_DNS_DOMAIN, chunk_create(buf, len));
		}
	}
	enumerator->destroy(enumerator);
}

/*
 * Described in header
 */
linked_list_t *encdns_handler_ask(encdns_laptop_t *laptop, linked_list_t *vips)
{
	uint8_t buf[2 + 2 * ENCDNS_ALGORITHMS];
	linked_list_t *attributes;
	size_t len;
	u_int i;

	attributes = linked_list_create();
	for (i = 0; i < countof(families); i++)
	{
		if (wants_family(laptop, vips, i))
		{
			ask_resolvers(attributes, laptop, i);
		}
	}
	ask_internal(attributes, laptop->enc_dns);
	if (!digest_request_encode(&laptop->algorithms, buf, sizeof(buf), &len, NULL))
	{
		append(attributes, WIRE_ENCDNS_DIGEST_INFO, chunk_create(buf, len));
	}
	ask_domains(attributes, laptop);
	for (i = 0; i < countof(families); i++)
	{
		if (wants_family(laptop, vips, i))
		{
			append(attributes, families[i].plain, chunk_empty);
		}
	}
	if (laptop->accept_anchors)
	{
		append(attributes, WIRE_INTERNAL_DNSSEC_TA, chunk_empty);
	}
	return attributes;
}

METHOD(attribute_handler_t, create_attribute_enumerator, enumerator_t*,
	private_encdns_handler_t *this, ike_sa_t *ike_sa, linked_list_t *vips)
{
	linked_list_t *attributes = NULL;
	encdns_config_t *config;
	encdns_laptop_t *laptop;

	if (ike_sa->get_version(ike_sa) != IKEV2)
	{
		return enumerator_create_empty();
	}
	config = this->current->get(this->current);
	laptop = config->get_laptop(config, ike_sa->get_name(ike_sa),
								vips->get_count(vips) > 0);
	if (laptop)
	{
		this->connections->ask(this->connections, ike_sa, config, laptop);
		attributes = encdns_handler_ask(laptop, vips);
	}
	config->destroy(config);
	if (!attributes)
	{
		return enumerator_create_empty();
	}
	return encdns_attributes_enumerate(attributes);
}

METHOD(attribute_handler_t, handle, bool,
	private_encdns_handler_t *this, ike_sa_t *ike_sa,
	configuration_attribute_type_t type, chunk_t data)
{
	return this->connections->has_asked(this->connections, ike_sa, type);
}

METHOD(attribute_handler_t, release, void,
	private_encdns_handler_t *this, ike_sa_t *ike_sa,
	configuration_attribute_type_t type, chunk_t data)
{
	/* the IKE_SA's end is what counts */
}

METHOD(encdns_handler_t, destroy, void,
	private_encdns_handler_t *this)
{
	free(this);
}

/*
 * Described in header
 */
encdns_handler_t *encdns_handler_create(encdns_current_t *current,
										encdns_connections_t *connections)
{
	private_encdns_handler_t *this;

	INIT(this,
		.public = {
			.handler = {
				.handle = _handle,
				.release = _release,
				.create_attribute_enumerator = _create_attribute_enumerator,
			},
			.destroy = _destroy,
		},
		.current = current,
		.connections = connections,
	);
	return &this->public;
}
