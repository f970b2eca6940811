/*
 * What swanctl.conf says of one connection, and the judgement of a domain by it and by the rules
 * that hold for everybody (I22, I23, I33).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct policy {
	bool limits_domains;         /* accept_domains is a list, be it empty */
	char **accept_domains;       /* these and what is below them (I22) */
	bool everything;             /* without-domains = everything (I21) */
	char **accept_trust_anchors; /* I24 */
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
