/*
 * The dohpath SvcParam: a URI template for DoH in relative form (RFC 9461, section 5; RFC 6570).
 *
 * Accepted: UTF-8, 1 to DOHPATH_LENGTH_MAX octets, beginning with one literal "/" (what it
 * expands to is a ":path", RFC 9113, and "//" would name another host), no fragment, otherwise
 * only what a path and a query may hold (RFC 3986) and characters beyond ASCII, well-formed
 * expressions with RFC 6570's operators except "#", and among the variables "dns" without a
 * prefix length, which would cut the query.
 */
#pragma once

#include "bounds.h"
#include "buffer.h"

/* 0, or -EBADMSG and *ret_why (static; NULL is fine). */
int dohpath_check(struct span template, const char **ret_why);

/*
 * The ":path" for POST, NUL-terminated: no variable is defined then (RFC 8484, section 4.1), so
 * every expression expands to nothing; what is not ASCII is percent-encoded. 0, or -EBADMSG for a
 * template that dohpath_check() refuses.
 */
int dohpath_expand_for_post(struct span template, char ret[DOHPATH_SIZE]);
