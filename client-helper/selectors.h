/*
 * The remote traffic selectors of a connection's CHILD_SAs as address ranges: what is inside the
 * tunnel (I17), and whether everything is (I20).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "address.h"

/* First and last address, both of one family and first <= last. */
struct range {
	struct address first, last;
};

/* -EINVAL where the families differ or the range is upside down. */
int range_make(const struct address *first, const struct address *last, struct range *ret);

/* Whether some range holds the address. */
bool selectors_contain(const struct range *ranges, size_t n, const struct address *address);

/* Whether the union of the ranges is the whole of the family, whatever their order or overlap. */
bool selectors_cover(const struct range *ranges, size_t n, int family);
