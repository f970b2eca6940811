#include "link_domains.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "util.h"

int link_domains_add(struct link_domains *domains, const char *name, bool route_only)
{
	struct link_domain *grown;
	cleanup_free char *copy = strdup(*name ? name : ".");

	if (!copy)
		return -ENOMEM;
	grown = reallocarray(domains->list, domains->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[domains->n++] = (struct link_domain){.name = steal(copy), .route_only = route_only};
	domains->list = grown;
	return 0;
}

void link_domains_clear(struct link_domains *domains)
{
	for (size_t i = 0; i < domains->n; i++)
		free(domains->list[i].name);
	free(domains->list);
	memset(domains, 0, sizeof(*domains));
}

int link_domains_copy(const struct link_domains *domains, struct link_domains *ret)
{
	struct link_domains copy = {};
	int r = 0;

	for (size_t i = 0; i < domains->n && r >= 0; i++)
		r = link_domains_add(&copy, domains->list[i].name, domains->list[i].route_only);
	if (r < 0) {
		link_domains_clear(&copy);
		return r;
	}
	*ret = copy;
	return 0;
}

bool link_domains_equal(const struct link_domains *a, const struct link_domains *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].route_only != b->list[i].route_only ||
			strcasecmp(a->list[i].name, b->list[i].name) != 0)
			return false;
	return true;
}
