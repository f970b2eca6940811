#include "encdns_option.h"

#define GATEWAY(name, kind, member, ...) \
	{ ENCDNS_GATEWAY, name, &encdns_value_##kind, offsetof(encdns_gateway_t, member), __VA_ARGS__ }
#define LAPTOP(name, kind, member, ...) \
	{ ENCDNS_LAPTOP, name, &encdns_value_##kind, offsetof(encdns_laptop_t, member), __VA_ARGS__ }
#define RESOLVER(name, kind, member, ...) \
	{ ENCDNS_RESOLVER, name, &encdns_value_##kind, offsetof(encdns_resolver_t, member), __VA_ARGS__ }
#define SUGGESTION(name, kind, member, ...) \
	{ ENCDNS_SUGGESTION, name, &encdns_value_##kind, offsetof(encdns_resolver_t, member), __VA_ARGS__ }

/* key, kind of value, member, default, choices, required, help */
static const encdns_option_t options[] = {
	GATEWAY("pools", words, pools, NULL, NULL, FALSE,
		"only clients of connections with one of these pools; without pools, connections and identities: all clients"),
	GATEWAY("connections", words, connections, NULL, NULL, FALSE,
		"only clients of these connections"),
	GATEWAY("identities", identities, identities, NULL, NULL, FALSE,
		"only clients with these identities; wildcards as in remote.id"),
	GATEWAY("domains", domains, domains, NULL, NULL, FALSE,
		"internal domains that the resolvers are for; none: it is the client's choice"),
	GATEWAY("trust-anchors", anchors, anchors, NULL, NULL, FALSE,
		"DNSSEC trust anchors of these domains: domain, key tag, algorithm, digest type, digest in hex"),

	RESOLVER("adn", host, adn, NULL, NULL, TRUE,
		"name that the resolver's certificate is for"),
	RESOLVER("addresses", addresses, addresses, NULL, NULL, TRUE,
		"IP addresses of the resolver"),
	RESOLVER("alpn", alpn, alpn, NULL, NULL, TRUE,
		"protocols that it speaks: dot, h2 (DoH), h3, doq"),
	RESOLVER("port", port, port, NULL, NULL, FALSE,
		"port, if not the protocol's own (853 for dot and doq, 443 for h2 and h3)"),
	RESOLVER("dohpath", dohpath, dohpath, NULL, NULL, FALSE,
		"URI template of DoH, in quotes: \"/dns-query{?dns}\""),
	RESOLVER("priority", priority, priority, "1", NULL, FALSE,
		"service priority, smallest first"),
	RESOLVER("certificates", certificates, certificates, NULL, NULL, FALSE,
		"certificates (files in swanctl's x509) whose public keys the resolver may show"),
	RESOLVER("pins", pins, pins, NULL, NULL, FALSE,
		"digests of public keys that the resolver may show: sha256:HEX"),

	SUGGESTION("adn", host, adn, NULL, NULL, FALSE,
		"name of a resolver to suggest to the gateway"),
	SUGGESTION("addresses", addresses, addresses, NULL, NULL, FALSE,
		"IP addresses of a resolver to suggest to the gateway"),
	SUGGESTION("alpn", alpn, alpn, NULL, NULL, FALSE,
		"protocols to suggest to the gateway: dot, h2 (DoH), h3, doq"),
	SUGGESTION("priority", priority, priority, "1", NULL, FALSE,
		"service priority of the suggestion"),

	LAPTOP("connections", words, connections, NULL, NULL, FALSE,
		"connections that this is for; default: all that request a virtual IP"),
	LAPTOP("request", choice, request, "auto", "auto ipv4 ipv6 both", FALSE,
		"families of the resolvers' addresses to ask for; auto: those of the virtual IPs"),
	LAPTOP("request-domains", domains, request_domains, NULL, NULL, FALSE,
		"domains to suggest to the gateway"),
	LAPTOP("hash-algorithms", algorithms, algorithms, "sha512, sha384, sha256", NULL, FALSE,
		"hash algorithms of certificate digests to ask for, the preferred first"),
	LAPTOP("accept-domains", domains, accept_domains, NULL, NULL, FALSE,
		"accept these domains and those below them only; default: all but public suffixes and special names"),
	LAPTOP("accept-trust-anchors", domains, accept_anchors, NULL, NULL, FALSE,
		"accept DNSSEC trust anchors for these domains and those below them"),
	LAPTOP("insecure-domains", domains, insecure_domains, NULL, NULL, FALSE,
		"do not validate these domains where the gateway gives no trust anchor"),
	LAPTOP("without-domains", choice, without_domains, "nothing", "nothing everything", FALSE,
		"what the resolvers are for where the gateway names no domain"),
	LAPTOP("require-encrypted", bool, require_encrypted, "no", NULL, FALSE,
		"never use plain DNS inside the tunnel"),
	LAPTOP("resolvers-outside-tunnel", bool, outside_tunnel, "no", NULL, FALSE,
		"use encrypted resolvers that are not reached through the tunnel"),
	LAPTOP("organization", text, organization, NULL, NULL, FALSE,
		"connections of one organization may share domains"),
	LAPTOP("on-disconnect", choice, on_disconnect, "release", "release block", FALSE,
		"what happens to the domains after an orderly disconnect"),
	LAPTOP("ca-certificates", ca_file, ca_file, NULL, NULL, FALSE,
		"PEM file of the CAs to trust (in swanctl's x509ca if not absolute) instead of the system's"),
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
