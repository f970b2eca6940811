/*
 * From what the responder sent and what the local policy says to what shall be in force: the
 * initiator's rules of RFC 9464, section 4, and RFC 8598, sections 3 to 6 and 8. The resolvers are
 * in resolvers.c; here are the tunnel's kind, the domains and their anchors (I17, I18, I20 to I26,
 * I28, I29, I33).
 *
 * Pure: no I/O, no clock, the same input gives the same plan.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "claims.h"
#include "refusal.h"
#include "request.h"
#include "resolvers.h"
#include "wire/trust_anchor.h"

struct planned_anchor {
	char *domain;
	struct trust_anchor anchor;
};

struct plan {
	char *nothing;      /* why nothing is to be applied; NULL: domains is not empty */
	bool full;          /* I20 */
	int family_outside; /* full, but this family has no virtual IP: AF_INET, AF_INET6; 0: none */
	struct resolvers resolvers;
	char **domains; /* routed to the resolvers: lower case, no trailing dot; "." is everything */
	char **waiting; /* the same, but another connection holds them (I28) */
	struct planned_anchor *anchors;
	size_t n_anchors;
	char **insecure; /* not validated although below an anchor: accepted domains that nobody signs
						(I26), and the gateway's name, which the forwarder may answer itself */
	struct refusals refusals;
};

/*
 * claims: what other connections hold. seed: what the order among equal priorities depends on; the
 * same for the life of a connection, so that applying again changes nothing. 0 or -ENOMEM; *ret is
 * untouched on failure.
 */
int plan_make(
	const struct request *request, const struct claims *claims, uint32_t seed, struct plan *ret);

void plan_clear(struct plan *plan);

bool plan_is_everything(const struct plan *plan); /* every name goes to the resolvers */
size_t plan_usable(const struct plan *plan);      /* resolvers that can be used */
