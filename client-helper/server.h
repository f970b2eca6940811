/*
 * One resolver of the enterprise, as the forwarder uses it: a plain value, made by plan.c from the
 * reply's attributes, or by encdnsd's command line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum transport {
	TRANSPORT_PLAIN, /* UDP and TCP inside the tunnel (I17) */
	TRANSPORT_DOT,
	TRANSPORT_DOH,
};

/* An address of either family in network byte order. */
struct address {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr in;
		struct in6_addr in6;
		uint8_t bytes[16];
	};
	bool outside; /* a resolver's, outside the tunnel by the user's wish: not asked from the virtual
					 IP */
};

/* An SPKI digest that the server's certificate must match (I12, I13). */
struct pin {
	uint16_t algorithm; /* IANA's IKEv2 hash algorithm: 2, 3, 4 */
	uint8_t length;
	uint8_t digest[64];
};

struct server {
	uint16_t priority; /* service priority, smallest first; 0 for plain servers */
	enum transport transport;
	char *adn; /* NUL-terminated, validated as a host name; NULL for plain servers */
	uint16_t port;
	char *dohpath; /* URI template, for DoH only */
	struct address *addresses;
	size_t n_addresses;
	struct pin *pins; /* none: PKIX validation and name check (I15) */
	size_t n_pins;
};

/* Names that have one address in common. */
struct known_hosts {
	char **names; /* in lower case, NULL at the end; NULL: none */
	struct address address;
};

/* Frees what the server owns and zeroes it. Takes an empty one. */
void server_clear(struct server *server);

/* Deep copy; *ret is overwritten, untouched on failure. 0 or -ENOMEM. */
int server_copy(const struct server *server, struct server *ret);

/* The same in every member, addresses and pins in the same order. */
bool server_equal(const struct server *a, const struct server *b);

bool addresses_equal(const struct address *a, size_t n_a, const struct address *b, size_t n_b);

/* Fills *ret, returns the length that the socket calls want. */
socklen_t address_to_sockaddr(
	const struct address *address, uint16_t port, struct sockaddr_storage *ret);

const char *transport_to_string(enum transport transport); /* "plain", "DoT", "DoH" */
