/*
 * INTERNAL_DNSSEC_TA (RFC 8598, section 4.2): a DS record's data: key tag (2), DNSKEY algorithm
 * (1), digest type (1), digest. See attribute.h for what decoders and encoders have in common.
 *
 * "In presentation format", says the RFC of the digest: so hex digits are sent; hex digits and
 * raw octets are accepted, told apart by length, which the digest type gives. Digest types other
 * than SHA-1 (1), SHA-256 (2) and SHA-384 (4) are refused.
 */
#pragma once

#include <stdbool.h>
#include "attribute.h"
#include "bounds.h"
#include "buffer.h"

struct trust_anchor {
	bool empty; /* a request that holds no anchor; nothing else set */
	uint16_t key_tag;
	uint8_t algorithm;
	uint8_t digest_type;
	uint8_t digest_length; /* what the digest type asks for */
	uint8_t digest[TRUST_ANCHOR_DIGEST_MAX];
};

/* Octets in a digest of that type; 0: not one of ours. */
uint8_t trust_anchor_digest_length(uint8_t digest_type);

int trust_anchor_decode(
	enum wire_message message, struct span value, struct trust_anchor *ret, const char **ret_why);

int trust_anchor_encode(enum wire_message message, const struct trust_anchor *anchor, uint8_t *data,
	size_t size, size_t *ret_len, const char **ret_why);
