#include "encdns_option.h"

#define GATEWAY(name, kind, member, ...) \
	{ ENCDNS_GATEWAY, name, &encdns_value_##kind, offsetof(encdns_gateway_t, member), __VA_ARGS__ }
#define LAPTOP(name, kind, member, ...) \
	{ ENCDNS_LAPTOP, name, &encdns_value_##kind, offsetof(encdns_laptop_t, member), __VA_ARGS__ }
#define RESOLVER(name, kind, member, ...) \
	{ ENCDNS_RESOLVER, name, &encdns_value_##kind, offsetof(encdns_resolver_t, member), __VA_ARGS__ }
#define SUGGESTION(name, kind, member, ...) \
	{ ENCDNS_SUGGESTION, name, &encdns_value_##kind, offsetof(encdns_resolver_t, member), __VA_ARGS__ }

/* key, kind of value, member, default, choices, required */
static const encdns_option_t options[] = {
	GATEWAY("pools", words, pools, NULL, NULL, FALSE),
	GATEWAY("connections", words, connections, NULL, NULL, FALSE),
	GATEWAY("identities", identities, identities, NULL, NULL, FALSE),
	GATEWAY("domains", domains, domains, NULL, NULL, FALSE),
	GATEWAY("trust-anchors", anchors, anchors, NULL, NULL, FALSE),
	GATEWAY("internal-enc-dns", private_type, enc_dns, NULL, NULL, FALSE),

	RESOLVER("adn", host, adn, NULL, NULL, TRUE),
	RESOLVER("addresses", addresses, addresses, NULL, NULL, TRUE),
	RESOLVER("alpn", alpn, alpn, NULL, NULL, TRUE),
	RESOLVER("port", port, port, NULL, NULL, FALSE),
	RESOLVER("dohpath", dohpath, dohpath, NULL, NULL, FALSE),
	RESOLVER("priority", priority, priority, "1", NULL, FALSE),
	RESOLVER("certificates", certificates, certificates, NULL, NULL, FALSE),
	RESOLVER("pins", pins, pins, NULL, NULL, FALSE),
	RESOLVER("outside-tunnel", bool, outside, "no", NULL, FALSE),

	SUGGESTION("adn", host, adn, NULL, NULL, FALSE),
	SUGGESTION("addresses", addresses, addresses, NULL, NULL, FALSE),
	SUGGESTION("alpn", alpn, alpn, NULL, NULL, FALSE),
	SUGGESTION("priority", priority, priority, "1", NULL, FALSE),

	LAPTOP("connections", words, connections, NULL, NULL, FALSE),
	LAPTOP("request", choice, request, "auto", "auto ipv4 ipv6 both", FALSE),
	LAPTOP("request-domains", domains, request_domains, NULL, NULL, FALSE),
	LAPTOP("hash-algorithms", algorithms, algorithms, "sha512, sha384, sha256", NULL, FALSE),
	LAPTOP("accept-domains", domains, accept_domains, NULL, NULL, FALSE),
	LAPTOP("accept-trust-anchors", overridables, accept_anchors, NULL, NULL, FALSE),
	LAPTOP("insecure-domains", domains, insecure_domains, NULL, NULL, FALSE),
	LAPTOP("without-domains", choice, without_domains, "nothing", "nothing everything", FALSE),
	LAPTOP("require-encrypted", bool, require_encrypted, "no", NULL, FALSE),
	LAPTOP("resolvers-outside-tunnel", bool, outside_tunnel, "no", NULL, FALSE),
	LAPTOP("organization", text, organization, NULL, NULL, FALSE),
	LAPTOP("on-disconnect", choice, on_disconnect, "release", "release block", FALSE),
	LAPTOP("ca-certificates", ca_file, ca_file, NULL, NULL, FALSE),
	LAPTOP("internal-enc-dns", private_type, enc_dns, NULL, NULL, FALSE),
	LAPTOP("dohpath", dohpath, dohpath, NULL, NULL, FALSE),
};

/*
 * Described in header
 */
const encdns_option_t *encdns_option_at(u_int index)
{
	return index < countof(options) ? &options[index] : NULL;
}

/*
 * Described in header
 */
const encdns_option_t *encdns_option_find(encdns_role_t role, const char *name)
{
	u_int i;

	for (i = 0; i < countof(options); i++)
	{
		if (options[i].role == role && streq(options[i].name, name))
		{
			return &options[i];
		}
	}
	return NULL;
}

/**
 * How many letters must be inserted, removed or replaced to get from one word to another (Levenshtein).
 */
static u_int distance(const char *a, const char *b)
{
	u_int row[64], last, above, i, j, len = strlen(b);

	if (len >= countof(row))
	{
		return len;
	}
	for (j = 0; j <= len; j++)
	{
		row[j] = j;
	}
	for (i = 1; a[i - 1]; i++)
	{
		last = row[0];
		row[0] = i;
		for (j = 1; j <= len; j++)
		{
			above = row[j];
			row[j] = min(min(row[j] + 1, row[j - 1] + 1),
						 last + (a[i - 1] != b[j - 1]));
			last = above;
		}
	}
	return row[len];
}

/*
 * Described in header
 */
const char *encdns_option_guess(encdns_role_t role, const char *name)
{
	const char *best = NULL;
	u_int least = 4, current;
	u_int i;

	for (i = 0; i < countof(options); i++)
	{
		current = distance(name, options[i].name);
		if (options[i].role == role && current < least &&
			current < strlen(options[i].name))
		{
			best = options[i].name;
			least = current;
		}
	}
	return best;
}

/*
 * Described in header
 */
void encdns_option_clear(encdns_role_t role, void *section)
{
	u_int i;

	for (i = 0; i < countof(options); i++)
	{
		if (options[i].role == role)
		{
			options[i].value->clear(section + options[i].offset);
		}
	}
}
