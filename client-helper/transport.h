/*
 * What the chooser sees of a way to a server, and what every transport (datagram.c, stream.c,
 * doh.c, the tests' own) fills in. A carrier is one connection: made, open, closed, freed. It
 * matches answers to queries; when to connect, give up or go elsewhere is the chooser's business.
 *
 * No event is ever sent from within send, flush or forget. Only in closed may the receiver free the
 * carrier, and after closed there is nothing else to do with it.
 */
#pragma once

#include <systemd/sd-event.h>

#include "dns.h"
#include "query.h"
#include "server.h"

struct carrier;

struct carrier_events {
	/* Takes queries: the connection is up, or has room again after send said -EAGAIN. */
	void (*ready)(struct carrier *carrier, void *userdata);

	/* query is answered and no longer the carrier's. message may be changed; it stays as it is
	   until idle has returned. */
	void (*answer)(struct carrier *carrier, struct query *query, uint8_t *message, size_t length,
		const struct dns_message *parsed, void *userdata);

	/* query gets no answer here (a stream reset, an HTTP status) and is no longer the carrier's.
	   again: the server has not looked at it. idle follows. */
	void (*refused)(struct carrier *carrier, struct query *query, bool again, void *userdata);

	/* Takes no more queries, but still answers those that it has; refused follows for any that it
	   will not. closed follows when it has none left. */
	void (*leaving)(struct carrier *carrier, void *userdata);

	/* All that there was to read has been read. */
	void (*idle)(struct carrier *carrier, void *userdata);

	/* Is no more. final: never to be tried again (I13). reason: a sentence for people, NULL where
	   the server closed a working connection. */
	void (*closed)(struct carrier *carrier, bool final, const char *reason, void *userdata);
};

struct carrier_ops {
	/* Takes the query, to be written with the next flush. -EAGAIN: no room before
	   the next ready. */
	int (*send)(struct carrier *carrier, struct query *query);
	void (*flush)(struct carrier *carrier);
	/* The query is needed no more; an answer that still comes is dropped. */
	void (*forget)(struct carrier *carrier, struct query *query);
	void (*free)(struct carrier *carrier);
};

struct carrier {
	const struct carrier_ops *ops;
	const struct carrier_events *events;
	void *userdata;
	bool open;                    /* from birth, or with the first ready */
	bool lossy;                   /* datagrams: what is not answered may be sent again */
	const char *tls_version;      /* NULL: none */
	const char *authenticated_by; /* "certificate", "digest", NULL: not */
	uint64_t handshake_usec;      /* from the first SYN to the end of the TLS handshake */
};

struct tls_context;
struct tls_ticket;

/* What a carrier is made from; all of it outlives the carrier. */
struct carrier_config {
	sd_event *event;
	const struct server *server;
	const struct address *virtual_ips; /* none: not bound to an address */
	size_t n_virtual_ips;
	struct tls_context *tls;   /* for DoT and DoH */
	struct tls_ticket *ticket; /* of this server, for resumption */
	unsigned attempt;          /* counts up, so that another address has its turn */
	const struct carrier_events *events;
	void *userdata;
};

/* 0, or -errno and a sentence in reason. Names the constructors of all transports alike. */
typedef int (*carrier_new_t)(const struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT]);

int stream_new(const struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT]);
int doh_new(const struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT]);
int datagram_new(const struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT]);
