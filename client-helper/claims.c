#include "claims.h"

#include <stdbool.h>
#include <string.h>
#include "subdomain.h"

static bool is_root(const char *domain)
{
	return strcmp(domain, ".") == 0;
}

static bool overlap(const char *a, const char *b)
{
	if (is_root(a) || is_root(b))
		return is_root(a) && is_root(b);
	return subdomain_of(a, b) || subdomain_of(b, a);
}

const struct claim *claims_against(
	const struct claims *claims, const char *organization, const char *domain)
{
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];

		if (organization && claim->organization && strcmp(organization, claim->organization) == 0)
			continue;
		for (size_t j = 0; claim->domains && claim->domains[j]; j++)
			if (overlap(domain, claim->domains[j]))
				return claim;
	}
	return NULL;
}
