/*
 * What swanctl.conf says of one connection, and the judgement of a domain or a trust anchor by it
 * and by the rules that hold for everybody (I22 to I24, I26, I33).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct policy {
	bool limits_domains;         /* accept_domains is a list, be it empty */
	char **accept_domains;       /* these and what is below them (I22) */
	bool everything;             /* without-domains = everything (I21) */
	char **accept_trust_anchors; /* "corp.example", "internal override" (I24) */
	char **insecure_domains;     /* I26 */
	bool require_encrypted;
	bool resolvers_outside_tunnel;
	bool block_on_disconnect;
	char *organization;    /* NULL: none (I28) */
	uint16_t enc_dns;      /* number of INTERNAL_ENC_DNS; 0: it has none (I32) */
	char *dohpath;         /* of its DoH resolvers; NULL: they cannot be used */
	char *ca_certificates; /* PEM file; NULL: the system's trust store */
};

void policy_clear(struct policy *policy);

/*
 * Why the domain (lower case, no trailing dot, "." for the root) may not become an internal one, as
 * a static sentence; NULL where it may.
 */
const char *policy_refuses_domain(const struct policy *policy, const char *domain);

/* The same for a trust anchor of an accepted domain; algorithm is its DNSKEY's (I24). */
const char *policy_refuses_anchor(
	const struct policy *policy, const char *domain, uint8_t algorithm);

/* Whether the domain is named as one that nobody signs (I26). */
bool policy_calls_insecure(const struct policy *policy, const char *domain);
