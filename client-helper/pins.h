/*
 * The digests of a reply, matched to ADNs (RFC 9464, section 3.2: I11, I12, I14).
 */
#pragma once

#include "refusal.h"
#include "request.h"
#include "resolvers.h"

/*
 * Gives every resolver its pins, or the reason why it is unusable. adns: the distinct ADNs of the
 * reply, those of refused entries included. 0 or -ENOMEM.
 */
int pins_attach(const struct request *request, char *const *adns, struct resolvers *resolvers,
	struct refusals *refusals);
