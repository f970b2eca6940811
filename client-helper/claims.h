/*
 * Whose a domain is where two connections claim it (RFC 8598, section 8: I28): who holds it keeps
 * it, and who comes later waits until it is released, unless both are of one organization.
 *
 * A domain is claimed with all that is above and below it. Only "." stands for what nobody claims:
 * one connection has it, beside the domains of others.
 */
#pragma once

#include <stddef.h>

/* What a connection holds. */
struct claim {
	const char *connection;
	const char *organization; /* NULL: none */
	char *const *domains;
};

struct claims {
	const struct claim *list;
	size_t n;
};

/* The claim that keeps the domain from a connection of that organization; NULL: it is free. */
const struct claim *claims_against(
	const struct claims *claims, const char *organization, const char *domain);
