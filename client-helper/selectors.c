#include "selectors.h"

#include <errno.h>
#include <string.h>

static int compare(const struct address *a, const struct address *b)
{
	return memcmp(a->bytes, b->bytes, address_length(a));
}

/* Steps to the next address; false behind the last one of the family. */
static bool increment(struct address *address)
{
	for (size_t i = address_length(address); i-- > 0;)
		if (++address->bytes[i] != 0)
			return true;
	return false;
}

int range_make(const struct address *first, const struct address *last, struct range *ret)
{
	if (first->family != last->family || compare(first, last) > 0)
		return -EINVAL;
	ret->first = *first;
	ret->last = *last;
	return 0;
}

bool selectors_contain(const struct range *ranges, size_t n, const struct address *address)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].first.family == address->family && compare(&ranges[i].first, address) <= 0 &&
			compare(address, &ranges[i].last) <= 0)
			return true;
	return false;
}

/*
 * Walks from the family's first address: whichever range holds the address that is still missing
 * takes the walk behind its end. Every round uses up at least one range, so it ends.
 */
bool selectors_cover(const struct range *ranges, size_t n, int family)
{
	struct address missing = {.family = family};
	bool advanced = true;

	while (advanced) {
		advanced = false;
		for (size_t i = 0; i < n; i++) {
			if (!selectors_contain(&ranges[i], 1, &missing))
				continue;
			missing = ranges[i].last;
			if (!increment(&missing))
				return true;
			advanced = true;
		}
	}
	return false;
}
