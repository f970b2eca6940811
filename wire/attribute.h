/*
 * IKEv2 configuration attributes for DNS: RFC 7296 (3, 10), RFC 8598 (25, 26), RFC 9464 (27 to
 * 29).
 *
 * For every decoder in this folder: it takes the attribute's value (without type and length),
 * returns 0 or -EBADMSG, and sets *ret_why to a static sentence for people on failure (NULL is
 * fine for who doesn't care). What it decodes points into the value and lives as long. *ret is
 * untouched on failure.
 *
 * For every encoder: it writes the value to data[size] and its length to *ret_len. It sends
 * nothing that the decoder would refuse: then -EINVAL and *ret_why. -ENOBUFS: size was too small.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum wire_attribute {
	WIRE_INTERNAL_IP4_DNS = 3,
	WIRE_INTERNAL_IP6_DNS = 10,
	WIRE_INTERNAL_DNS_DOMAIN = 25,
	WIRE_INTERNAL_DNSSEC_TA = 26,
	WIRE_ENCDNS_IP4 = 27,
	WIRE_ENCDNS_IP6 = 28,
	WIRE_ENCDNS_DIGEST_INFO = 29,
};

enum wire_message {
	WIRE_REQUEST, /* CFG_REQUEST */
	WIRE_REPLY,   /* CFG_REPLY (and CFG_SET, which nobody sends) */
};

/* "ENCDNS_IP4"; NULL for a number that is not in the list above. */
const char *wire_attribute_name(uint16_t type);

/* Octets per address in attributes that hold addresses: 4, 16; 0 for others. */
size_t wire_address_length(uint16_t type);
