/*
 * Host names and domains in presentation format, A-labels, as the attributes carry them: no
 * escapes, no terminators.
 *
 * Letters, digits and hyphens; labels of 1 to 63 octets that neither begin nor end with a hyphen;
 * at most 253 octets. One trailing dot is accepted everywhere (both RFCs ask for presentation
 * format of a fully qualified name), counts for nothing in comparisons, and is neither kept by
 * the decoders nor sent by the encoders.
 */
#pragma once

#include "bounds.h"
#include "buffer.h"

enum name_kind {
	NAME_HOST,   /* an ADN: no underscore, and the last label is not a number (no IPv4 address) */
	NAME_DOMAIN, /* an internal domain: underscores too, and "." for the root */
};

/* Is it such a name? 0, or -EBADMSG and *ret_why (static; NULL is fine). */
int name_check(struct span name, enum name_kind kind, const char **ret_why);

/* The same without its trailing dot; the root stays ".". */
struct span name_without_dot(struct span name);

/*
 * Checks, then writes the name in lower case without the trailing dot, NUL-terminated (the root
 * is "."). 0, or -EBADMSG and *ret_why; ret is untouched on failure.
 */
int name_normalise(
	struct span name, enum name_kind kind, char ret[NAME_SIZE], const char **ret_why);

/* Without regard to case. For names that passed name_check(). */
bool name_equal(struct span a, struct span b);

/*
 * Equal to the domain or below it: labels count, so otherexample.test is not below example.test
 * (RFC 8598, section 5). Everything is at or below the root. For names that passed name_check().
 */
bool name_is_at_or_below(struct span name, struct span domain);
