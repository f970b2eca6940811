/*
 * A DoT and DoH server for the tests, in a thread of its own: answers by the book, or in every way
 * that a server should not.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "certificates.h"
#include "h2_server.h"

enum dot_manner {
	DOT_PROPER,
	DOT_NO_HANDSHAKE, /* takes the connection and says nothing */
	DOT_STALLS,       /* falls silent within its first TLS record */
	DOT_SILENT,       /* answers nothing */
	DOT_REVERSED,     /* waits for `batch` queries and answers the last first */
	DOT_CLOSES,       /* reads a query and closes, `times` times; then by the book */
	DOT_FORGES,   /* before each answer one with a wrong id and one to another question, behind it
					 the answer again */
	DOT_CRUMBS,   /* a TLS record per octet */
	DOT_HUGE,     /* answers of 65,535 octets */
	DOT_HANGS_UP, /* after half of the answer */
	DOT_LATE,     /* answers only after DOT_LATE_USEC */
};

enum { DOT_LATE_USEC = 1800000 };

struct dot_server {
	enum dot_manner manner;
	unsigned batch, times;
	bool abrupt;       /* where it closes: a reset, no goodbye */
	int tls_max;       /* e.g. TLS1_2_VERSION; 0: any */
	uint16_t port;     /* 0: any; set when it has started */
	uint32_t address;  /* host byte order; 0: 127.0.0.1 */
	enum h2_manner h2; /* for clients that choose h2 */
	atomic_uint connections, handshakes, resumptions, queries;
	atomic_uint resets; /* of connections without a handshake: how many the client broke off */
	atomic_bool sni_ok, alpn_ok, unpadded; /* as the last client had it */

	int fd;
	pthread_t thread;
	void *context;
};

/* manner, batch, times and tls_max are set before, the rest is zero. */
void dot_server_start(struct dot_server *server, const struct identity *identity);
void dot_server_stop(struct dot_server *server);
