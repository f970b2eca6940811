#include "encdns_answer.h"
#include "encdns_resolver.h"

#include "wire/bounds.h"
#include "wire/domain.h"
#include "wire/name.h"

/** Largest value of the attributes that are encoded here: a digest or a domain */
#define VALUE_MAX 512

/**
 * Add an attribute, which gets owned, unless it is there already.
 */
static void add_attribute(linked_list_t *answer, encdns_attribute_t *attribute)
{
	enumerator_t *enumerator;
	encdns_attribute_t *current;
	bool there = FALSE;

	enumerator = answer->create_enumerator(answer);
	while (!there && enumerator->enumerate(enumerator, &current))
	{
		there = current->type == attribute->type &&
				chunk_equals(current->value, attribute->value);
	}
	enumerator->destroy(enumerator);
	if (there)
	{
		encdns_attribute_destroy(attribute);
	}
	else
	{
		answer->insert_last(answer, attribute);
	}
}

static void add(linked_list_t *answer, uint16_t type, chunk_t value)
{
	add_attribute(answer, encdns_attribute_create(type, value));
}

/**
 * Are two lists of strings both there and have one in common?
 */
static bool overlap(linked_list_t *a, linked_list_t *b)
{
	enumerator_t *outer, *inner;
	char *one, *other;
	bool found = FALSE;

	outer = a->create_enumerator(a);
	while (!found && outer->enumerate(outer, &one))
	{
		inner = b->create_enumerator(b);
		while (!found && inner->enumerate(inner, &other))
		{
			found = streq(one, other);
		}
		inner->destroy(inner);
	}
	outer->destroy(outer);
	return found;
}

/**
 * Does an identity match one of a list, wildcards in the list?
 */
static bool has_identity(linked_list_t *patterns, identification_t *identity)
{
	enumerator_t *enumerator;
	identification_t *pattern;
	bool found = FALSE;

	enumerator = patterns->create_enumerator(patterns);
	while (!found && enumerator->enumerate(enumerator, &pattern))
	{
		found = identity->matches(identity, pattern) != ID_MATCH_NONE;
	}
	enumerator->destroy(enumerator);
	return found;
}

/*
 * Described in header
 */
bool encdns_answer_matches(encdns_gateway_t *gateway, linked_list_t *pools,
						   const char *connection, identification_t *identity)
{
	linked_list_t *name;
	bool matches;

	name = linked_list_create_with_items((void*)connection, NULL);
	matches = (!gateway->pools || overlap(gateway->pools, pools)) &&
			  (!gateway->connections || overlap(gateway->connections, name)) &&
			  (!gateway->identities ||
			   has_identity(gateway->identities, identity));
	name->destroy(name);
	return matches;
}

/**
 * Is a resolver in the answer, for one of the families asked for?
 */
static bool is_offered(encdns_request_t *request, encdns_resolver_t *resolver)
{
	u_int i;

	for (i = 0; i < countof(encdns_families); i++)
	{
		if (resolver->addresses[i].len &&
			request->has(request, encdns_families[i]))
		{
			return TRUE;
		}
	}
	return FALSE;
}

/**
 * Add a resolver, with one attribute per family of addresses that was asked for (R1).
 */
static void add_resolver(linked_list_t *answer, encdns_request_t *request,
						 encdns_resolver_t *resolver)
{
	encdns_attribute_t *attribute;
	u_int i;

	for (i = 0; i < countof(encdns_families); i++)
	{
		if (!resolver->addresses[i].len ||
			!request->has(request, encdns_families[i]))
		{
			continue;
		}
		attribute = encdns_resolver_encode(resolver, i, WIRE_REPLY);
		if (attribute)
		{
			add_attribute(answer, attribute);
		}
	}
}

/**
 * Is there an INTERNAL_ENC_DNS of the same number and kind already?
 */
static bool has_kind(linked_list_t *answer, encdns_attribute_t *attribute)
{
	enumerator_t *enumerator;
	encdns_attribute_t *current;
	bool found = FALSE;

	enumerator = answer->create_enumerator(answer);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = current->type == attribute->type &&
				!((current->value.ptr[0] ^ attribute->value.ptr[0]) & 0x7f);
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Add INTERNAL_ENC_DNS, one for each kind that is asked for and that a section has a resolver of (R11).
 *
 * @param resolvers		gets the resolvers that are in it
 */
static void add_internal(linked_list_t *answer, encdns_request_t *request,
						 encdns_gateway_t *gateway, linked_list_t *resolvers)
{
	static const enum enc_dns_kind kinds[] = { ENC_DNS_DOT, ENC_DNS_DOH };
	encdns_attribute_t *attribute = NULL;
	encdns_resolver_t *resolver;
	enumerator_t *enumerator;
	u_int i;

	for (i = 0; i < countof(kinds); i++, attribute = NULL)
	{
		if (!gateway->enc_dns ||
			!request->has_enc_dns(request, gateway->enc_dns, kinds[i]))
		{
			continue;
		}
		enumerator = gateway->resolvers->create_enumerator(gateway->resolvers);
		while (!attribute && enumerator->enumerate(enumerator, &resolver))
		{
			if (encdns_resolver_is_internal(resolver, kinds[i]))
			{
				attribute = encdns_resolver_encode_internal(resolver,
												gateway->enc_dns, kinds[i]);
			}
		}
		enumerator->destroy(enumerator);
		if (attribute && !has_kind(answer, attribute))
		{
			answer->insert_last(answer, attribute);
			resolvers->insert_last(resolvers, resolver);
		}
		else if (attribute)
		{
			encdns_attribute_destroy(attribute);
		}
	}
}

/**
 * Add a digest of one of the ADNs.
 */
static void add_digest(linked_list_t *answer, encdns_resolver_t *resolver,
					   bool named, encdns_pin_t *pin)
{
	struct digest_reply reply = {
		.adn = named ? span_from_string(resolver->adn) : span_of(NULL, 0),
		.algorithm = pin->algorithm->id,
		.digest = span_of(pin->digest, pin->algorithm->length),
	};
	uint8_t buf[VALUE_MAX];
	size_t len;

	if (!digest_reply_encode(&reply, buf, sizeof(buf), &len, NULL))
	{
		add(answer, WIRE_ENCDNS_DIGEST_INFO, chunk_create(buf, len));
	}
}

/**
 * Add a resolver's digests: of each certificate with the strongest algorithm that the client lists, and
 * the pins that it can use, which exist in one algorithm only (R3).
 */
static void add_digests(linked_list_t *answer, encdns_request_t *request,
						encdns_resolver_t *resolver, bool named)
{
	encdns_certificate_t *certificate;
	enumerator_t *enumerator;
	encdns_pin_t *pin;
	int i;

	if (resolver->certificates)
	{
		enumerator = resolver->certificates->create_enumerator(
													resolver->certificates);
		while (enumerator->enumerate(enumerator, &certificate))
		{
			for (i = ENCDNS_ALGORITHMS - 1; i >= 0; i--)
			{
				pin = &certificate->digests[i];
				if (request->has_algorithm(request, pin->algorithm->id))
				{
					add_digest(answer, resolver, named, pin);
					break;
				}
			}
		}
		enumerator->destroy(enumerator);
	}
	if (resolver->pins)
	{
		enumerator = resolver->pins->create_enumerator(resolver->pins);
		while (enumerator->enumerate(enumerator, &pin))
		{
			if (request->has_algorithm(request, pin->algorithm->id))
			{
				add_digest(answer, resolver, named, pin);
			}
		}
		enumerator->destroy(enumerator);
	}
}

/**
 * Add the trust anchors of a domain; they belong right behind it (R7).
 */
static void add_anchors(linked_list_t *answer, encdns_gateway_t *gateway,
						const char *domain)
{
	enumerator_t *enumerator;
	encdns_anchor_t *current;
	uint8_t buf[TRUST_ANCHOR_VALUE_MAX];
	size_t len;

	if (!gateway->anchors)
	{
		return;
	}
	enumerator = gateway->anchors->create_enumerator(gateway->anchors);
	while (enumerator->enumerate(enumerator, &current))
	{
		if (streq(current->domain, domain) &&
			!trust_anchor_encode(WIRE_REPLY, &current->anchor, buf, sizeof(buf),
								 &len, NULL))
		{
			/* not add(): two domains may have the same anchor */
			answer->insert_last(answer, encdns_attribute_create(
								WIRE_INTERNAL_DNSSEC_TA, chunk_create(buf, len)));
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Add the domains of a section, each with its anchors where those were asked for.
 */
static void add_domains(linked_list_t *answer, encdns_request_t *request,
						encdns_gateway_t *gateway)
{
	enumerator_t *enumerator;
	uint8_t buf[NAME_SIZE];
	char *domain;
	size_t len;
	int before;

	if (!gateway->domains)
	{
		return;
	}
	enumerator = gateway->domains->create_enumerator(gateway->domains);
	while (enumerator->enumerate(enumerator, &domain))
	{
		if (domain_encode(WIRE_REPLY, span_from_string(domain), buf, sizeof(buf),
						  &len, NULL))
		{
			continue;
		}
		before = answer->get_count(answer);
		add(answer, WIRE_INTERNAL_DNS_DOMAIN, chunk_create(buf, len));
		if (answer->get_count(answer) > before &&
			request->has(request, WIRE_INTERNAL_DNSSEC_TA))
		{
			add_anchors(answer, gateway, domain);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Does a resolver have what a client suggests: all that is named of address, ADN and protocol?
 */
static bool is_suggested(encdns_resolver_t *resolver, uint16_t type,
						 struct encdns *suggestion)
{
	int family = type == WIRE_ENCDNS_IP4 ? 0 : 1;
	size_t length = wire_address_length(type), i, j;
	chunk_t *addresses = &resolver->addresses[family];
	bool address = !suggestion->addresses.len, protocol = !suggestion->params.n_alpn;
	enumerator_t *enumerator;
	char *current;

	for (i = 0; i < suggestion->addresses.len; i += length)
	{
		for (j = 0; j < addresses->len; j += length)
		{
			address = address || memeq(suggestion->addresses.data + i,
									   addresses->ptr + j, length);
		}
	}
	enumerator = resolver->alpn->create_enumerator(resolver->alpn);
	while (!protocol && enumerator->enumerate(enumerator, &current))
	{
		protocol = svcparams_has_alpn(&suggestion->params, current);
	}
	enumerator->destroy(enumerator);
	return address && protocol &&
		   (!suggestion->adn.len ||
			name_equal(suggestion->adn, span_from_string(resolver->adn)));
}

/**
 * Does any suggestion fit a resolver?
 */
static bool has_suggestion(encdns_request_t *request,
						   encdns_resolver_t *resolver)
{
	enumerator_t *enumerator;
	struct encdns *suggestion;
	uint16_t type;
	bool found = FALSE;

	enumerator = request->create_suggestion_enumerator(request);
	while (!found && enumerator->enumerate(enumerator, &type, &suggestion))
	{
		found = is_suggested(resolver, type, suggestion);
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * The resolvers that go into the answer: those suggested first, else in the file's order.
 */
static linked_list_t *select_resolvers(encdns_request_t *request,
									   linked_list_t *gateways)
{
	linked_list_t *suggested, *others;
	enumerator_t *outer, *inner;
	encdns_gateway_t *gateway;
	encdns_resolver_t *resolver;

	suggested = linked_list_create();
	others = linked_list_create();
	outer = gateways->create_enumerator(gateways);
	while (outer->enumerate(outer, &gateway))
	{
		inner = gateway->resolvers->create_enumerator(gateway->resolvers);
		while (inner->enumerate(inner, &resolver))
		{
			if (!is_offered(request, resolver))
			{
				continue;
			}
			if (has_suggestion(request, resolver))
			{
				suggested->insert_last(suggested, resolver);
			}
			else
			{
				others->insert_last(others, resolver);
			}
		}
		inner->destroy(inner);
	}
	outer->destroy(outer);
	while (others->remove_first(others, (void**)&resolver) == SUCCESS)
	{
		suggested->insert_last(suggested, resolver);
	}
	others->destroy(others);
	return suggested;
}

/**
 * Do the resolvers have more than one ADN among them?
 */
static bool has_several_adns(linked_list_t *resolvers)
{
	enumerator_t *enumerator;
	encdns_resolver_t *resolver;
	char *first = NULL;
	bool several = FALSE;

	enumerator = resolvers->create_enumerator(resolvers);
	while (!several && enumerator->enumerate(enumerator, &resolver))
	{
		several = first && !streq(first, resolver->adn);
		first = first ?: resolver->adn;
	}
	enumerator->destroy(enumerator);
	return several;
}

/*
 * Described in header
 */
linked_list_t *encdns_answer_create(encdns_request_t *request,
									linked_list_t *gateways)
{
	linked_list_t *answer, *resolvers;
	encdns_resolver_t *resolver;
	encdns_gateway_t *gateway;
	enumerator_t *enumerator;
	bool named;

	answer = linked_list_create();
	if (request->is_flooding(request))
	{
		DBG1(DBG_CFG, "encdns: handing out nothing, the request repeats "
			 "attributes too often");
		return answer;
	}
	resolvers = select_resolvers(request, gateways);
	enumerator = resolvers->create_enumerator(resolvers);
	while (enumerator->enumerate(enumerator, &resolver))
	{
		add_resolver(answer, request, resolver);
	}
	enumerator->destroy(enumerator);
	enumerator = gateways->create_enumerator(gateways);
	while (enumerator->enumerate(enumerator, &gateway))
	{
		add_internal(answer, request, gateway, resolvers);
	}
	enumerator->destroy(enumerator);
	named = has_several_adns(resolvers);

	/* without a resolver there is nothing that the rest could be for (R6) */
	if (answer->get_count(answer))
	{
		enumerator = resolvers->create_enumerator(resolvers);
		while (enumerator->enumerate(enumerator, &resolver))
		{
			add_digests(answer, request, resolver, named);
		}
		enumerator->destroy(enumerator);

		if (request->has(request, WIRE_INTERNAL_DNS_DOMAIN))
		{
			enumerator = gateways->create_enumerator(gateways);
			while (enumerator->enumerate(enumerator, &gateway))
			{
				add_domains(answer, request, gateway);
			}
			enumerator->destroy(enumerator);
		}
	}
	resolvers->destroy(resolvers);
	return answer;
}
