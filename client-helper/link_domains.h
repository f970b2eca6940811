/*
 * The search and routing domains of a link, as resolved and networkd keep them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct link_domain {
	char *name; /* no trailing dot; "." for the root */
	bool route_only;
};

struct link_domains {
	struct link_domain *list;
	size_t n;
};

int link_domains_add(struct link_domains *domains, const char *name, bool route_only);
int link_domains_copy(const struct link_domains *domains, struct link_domains *ret);
bool link_domains_equal(const struct link_domains *a, const struct link_domains *b);
void link_domains_clear(struct link_domains *domains);
