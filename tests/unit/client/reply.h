/*
 * Requests for the plan's tests: a connection with virtual IPs and selectors, and a CFG_REPLY whose
 * attributes are written octet by octet, so that no encoder of ours has to be right.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "client-helper/claims.h"
#include "client-helper/request.h"

/* SvcParams as they are on the wire. */
#define ALPN_DOT "\0\1\0\4\3dot"
#define ALPN_H2 "\0\1\0\3\2h2"
#define ALPN_DOQ "\0\1\0\4\3doq"
#define ALPN_DOT_H2 "\0\1\0\7\3dot\2h2"
#define PORT_8853 "\0\3\0\2\x22\x95"
#define DOHPATH "\0\7\0\x10/dns-query{?dns}"
#define IPV4HINT "\0\4\0\4\x0a\x14\0\x35"

/* No other connection holds anything. */
static const struct claims no_claims;

/* A connection named corp on encdns0, IKE identity gw.corp.example, 10.99.0.1 as virtual
 * IP, 10.20.0.0/16 inside. request_clear() frees it. */
void reply_begin(struct request *request);
void reply_virtual_ip(struct request *request, const char *address);
void reply_selector(struct request *request, const char *first, const char *last);
void reply_full(struct request *request); /* all of IPv4 inside */

void reply_add(struct request *request, uint16_t type, const void *value, size_t length);

/* addresses: with blanks between; params: sizeof a literal, whose NUL does not count. */
void reply_encdns(struct request *request, uint16_t priority, const char *adn,
	const char *addresses, const char *params, size_t params_size);
void reply_digest(
	struct request *request, const char *adn, uint16_t algorithm, uint8_t fill, size_t length);
void reply_domain(struct request *request, const char *domain);
void reply_plain(struct request *request, const char *address);

#define reply_dot(request, priority, adn, addresses)                                               \
	reply_encdns(request, priority, adn, addresses, ALPN_DOT, sizeof(ALPN_DOT))
