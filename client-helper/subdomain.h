/*
 * Domain names as plain text in A-labels, compared without case and on label boundaries. A trailing
 * dot means nothing; "." or "" is the root.
 */
#pragma once

#include <stdbool.h>

/* Whether name is parent itself or below it. Everything is below the root. */
bool subdomain_of(const char *name, const char *parent);

bool subdomain_equal(const char *a, const char *b);

/* Whether name is in one of the names of the list. */
bool subdomain_of_any(const char *name, char *const *parents);
