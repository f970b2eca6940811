/*
 * INTERNAL_DNS_DOMAIN (RFC 8598, section 4.1): one domain, or nothing in a request without a
 * suggestion. See attribute.h for what decoders and encoders have in common.
 */
#pragma once

#include "attribute.h"
#include "name.h"

/*
 * *ret_name: without a trailing dot ("." is the root, which policy may refuse: I23); len 0 for an
 * empty request.
 */
int domain_decode(
	enum wire_message message, struct span value, struct span *ret_name, const char **ret_why);

/* name: len 0 for an empty request. */
int domain_encode(enum wire_message message, struct span name, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why);
