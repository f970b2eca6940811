/*
 * ENCDNS_DIGEST_INFO (RFC 9464, section 3.2) and its hash algorithms (IANA's IKEv2 hash
 * algorithms). See attribute.h for what decoders and encoders have in common.
 *
 * Request: number of algorithms (1), 0 (1), identifiers (2 each).
 * Reply: 1 (1), length of the ADN (1), ADN, identifier (2), digest.
 */
#pragma once

#include "attribute.h"
#include "bounds.h"
#include "buffer.h"

struct digest_algorithm {
	uint16_t id;
	const char *name; /* "sha256" */
	uint8_t length;   /* octets in a digest */
};

enum {
	DIGEST_SHA2_256 = 2,
	DIGEST_SHA2_384 = 3,
	DIGEST_SHA2_512 = 4,
};

/* The ones that we know, weakest first, ends with NULL: digest_algorithm_at(0), (1), ... */
const struct digest_algorithm *digest_algorithm_at(size_t index);

/* NULL: not one of ours. */
const struct digest_algorithm *digest_algorithm_by_id(uint16_t id);
const struct digest_algorithm *digest_algorithm_by_name(struct span name);

/*
 * A pin as people write it, "sha256:HEX". 0 or -EINVAL and *ret_why; the length is the
 * algorithm's.
 */
int digest_parse(struct span text, const struct digest_algorithm **ret_algorithm,
	uint8_t ret_digest[DIGEST_LENGTH_MAX], const char **ret_why);

struct digest_request {
	uint16_t algorithms[DIGEST_ALGORITHMS_MAX]; /* as the sender likes them; some unknown to us */
	size_t n_algorithms;                        /* not 0 */
};

int digest_request_decode(struct span value, struct digest_request *ret, const char **ret_why);

int digest_request_encode(const struct digest_request *request, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why);

struct digest_reply {
	struct span adn;    /* without a trailing dot; len 0: none is named (I11) */
	uint16_t algorithm; /* may be unknown to us */
	struct span digest; /* of any length */
	const char *fault;  /* NULL, or what is wrong behind the ADN: then only the ADN is set */
};

/*
 * Structure only. -EBADMSG means that it cannot be said which ADN it is for. All else that may be
 * wrong is left to digest_reply_fault(), so that a faulty digest still counts as one of its ADN
 * (I14).
 */
int digest_reply_decode(struct span value, struct digest_reply *ret, const char **ret_why);

/*
 * The judgement of I14: NULL where the digest can be used, else why it is faulty: malformed
 * behind the ADN, an algorithm that we don't know or (asked: what the request listed; NULL:
 * anything) did not ask for, a length that is not its algorithm's.
 */
const char *digest_reply_fault(
	const struct digest_reply *reply, const struct digest_request *asked);

/*
 * Encodes no faulty one: -EINVAL. Of an algorithm that we don't know nobody can say how long its
 * digests are.
 */
int digest_reply_encode(const struct digest_reply *reply, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why);
