#include "subdomain.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static size_t length_without_dot(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && name[n - 1] == '.' ? n - 1 : n;
}

bool subdomain_of(const char *name, const char *parent)
{
	size_t n = length_without_dot(name), m = length_without_dot(parent);

	if (m == 0)
		return true;
	if (n < m || strncasecmp(name + n - m, parent, m) != 0)
		return false;
	return n == m || name[n - m - 1] == '.';
}

bool subdomain_equal(const char *a, const char *b)
{
	return subdomain_of(a, b) && subdomain_of(b, a);
}

bool subdomain_of_any(const char *name, char *const *parents)
{
	for (size_t i = 0; parents && parents[i]; i++)
		if (subdomain_of(name, parents[i]))
			return true;
	return false;
}
