/*
 * ENCDNS_IP4 and ENCDNS_IP6 (RFC 9464, section 3.1): service priority (2), number of addresses
 * (1), length of the ADN (1), addresses, ADN, SvcParams. See attribute.h for what decoders and
 * encoders have in common.
 *
 * Refused (I7, R10): priority 0; lengths that don't add up; an ADN that is no host name;
 * SvcParams as svcparams.h says; in a reply also no address or no ADN.
 */
#pragma once

#include "attribute.h"
#include "svcparams.h"

struct encdns {
	bool empty;            /* a request without a suggestion: the value has no octets */
	uint16_t priority;     /* smallest first; not 0 */
	struct span addresses; /* of 4 or 16 octets each, in network byte order */
	struct span adn;       /* without a trailing dot; len 0: absent (in a request) */
	struct svcparams params;
};

/* type: WIRE_ENCDNS_IP4 or WIRE_ENCDNS_IP6. */
int encdns_decode(uint16_t type, enum wire_message message, struct span value, struct encdns *ret,
	const char **ret_why);

/*
 * The ADN, also of a value that encdns_decode() refuses for another reason: digests are matched
 * to all ADNs of a reply (I11). 0, or -EBADMSG where there is none that is a host name.
 */
int encdns_find_adn(uint16_t type, struct span value, struct span *ret_adn);

int encdns_encode(uint16_t type, enum wire_message message, const struct encdns *encdns,
	uint8_t *data, size_t size, size_t *ret_len, const char **ret_why);
