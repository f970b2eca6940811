/*
 * The resolvers of a reply: ENCDNS_IP4 and ENCDNS_IP6 with their digests (RFC 9464, section 4: I6
 * to I14), INTERNAL_ENC_DNS (I32), and INTERNAL_IP4_DNS and INTERNAL_IP6_DNS where there are no
 * others (I16, I17).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "refusal.h"
#include "request.h"
#include "server.h"

struct resolver {
	struct server server;
	char *unusable; /* why it is listed but never used; NULL: it is used */
};

struct resolvers {
	struct resolver *list; /* by priority, equal ones shuffled (I6) */
	size_t n;
	bool offered; /* the reply has resolvers, whatever became of them */
};

/* 0 or -ENOMEM. *ret is valid for resolvers_clear() in either case, when zeroed before. */
int resolvers_make(
	const struct request *request, uint32_t seed, struct resolvers *ret, struct refusals *refusals);

void resolvers_clear(struct resolvers *resolvers);
