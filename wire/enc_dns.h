/*
 * INTERNAL_ENC_DNS (draft-btw-add-ipsecme-ike-00, section 4), the ancestor of ENCDNS_IP4 and
 * ENCDNS_IP6. It never got a number: the configuration gives it a private-use one. See attribute.h
 * for what decoders and encoders have in common.
 *
 * Request: S bit and type (1). Reply: S bit and type (1), number of addresses (1), IPv6 addresses
 * (16 each, IPv4 as IPv4-mapped), ADN.
 */
#pragma once

#include <stdbool.h>
#include "attribute.h"
#include "bounds.h"
#include "buffer.h"

/* Private use (RFC 7296, section 3.15.1). */
#define ENC_DNS_TYPE_MIN 16384
#define ENC_DNS_TYPE_MAX 32767

#define ENC_DNS_ADDRESS_LENGTH 16

enum enc_dns_kind {
	ENC_DNS_DOT = 1,
	ENC_DNS_DOH = 2,
};

struct enc_dns {
	bool outside; /* the S bit: queries go outside the tunnel */
	enum enc_dns_kind kind;
	struct span addresses; /* of 16 octets each, not none; in a reply */
	struct span adn;       /* without a trailing dot; in a reply */
};

int enc_dns_decode(
	enum wire_message message, struct span value, struct enc_dns *ret, const char **ret_why);

int enc_dns_encode(enum wire_message message, const struct enc_dns *enc_dns, uint8_t *data,
	size_t size, size_t *ret_len, const char **ret_why);
