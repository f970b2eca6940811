/*
 * A resolver as the attribute of one family of addresses (RFC 9464, section 3.1): what a gateway hands
 * out, and what a laptop suggests; and as INTERNAL_ENC_DNS.
 */
#ifndef ENCDNS_RESOLVER_H_
#define ENCDNS_RESOLVER_H_

#include "encdns_attribute.h"
#include "encdns_option.h"

#include "wire/enc_dns.h"

/**
 * The attributes of the families, in the order of encdns_resolver_t.addresses.
 */
static const uint16_t encdns_families[] = { WIRE_ENCDNS_IP4, WIRE_ENCDNS_IP6 };

/**
 * Encode a resolver.
 *
 * @param family		index of encdns_families
 * @return				NULL, and a line in the log, if it is none that may be sent
 */
encdns_attribute_t *encdns_resolver_encode(encdns_resolver_t *resolver,
										   u_int family,
										   enum wire_message message);

/**
 * Can a resolver be named by INTERNAL_ENC_DNS, which has no port?
 */
bool encdns_resolver_is_internal(encdns_resolver_t *resolver,
								 enum enc_dns_kind kind);

/**
 * Encode a resolver as INTERNAL_ENC_DNS.
 *
 * @param type			number that the attribute has
 * @return				NULL, and a line in the log, if it is none that may be sent
 */
encdns_attribute_t *encdns_resolver_encode_internal(encdns_resolver_t *resolver,
										uint16_t type, enum enc_dns_kind kind);

#endif /** ENCDNS_RESOLVER_H_ */
