/*
 * The forwarder of one connection: resolved asks it on a loopback address, it asks the enterprise's
 * resolvers, bound to the virtual IP, and answers SERVFAIL where it cannot (D6, D7).
 *
 *	listener (UDP, TCP) -> what is in flight -> server choice -> transport (plain, DoT, DoH)
 *
 * It knows nothing of IKE, D-Bus or resolved. It never logs; what went wrong is in the servers'
 * states, which the owner reads when the change callback says so.
 */
#pragma once

#include <systemd/sd-event.h>
#include "server.h"

struct forwarder;

enum server_state {
	SERVER_IDLE, /* not asked yet, or connection closed after use */
	SERVER_CONNECTING,
	SERVER_CONNECTED,
	SERVER_FAILED,  /* left for the next one, tried again later */
	SERVER_REFUSED, /* final until set_upstream leaves it out (digest mismatch, I13) */
};

struct server_status {
	const struct server *server;
	enum server_state state;
	bool preferred;               /* the one that the next query goes to */
	const char *tls_version;      /* "TLSv1.3"; NULL without a connection */
	const char *authenticated_by; /* "certificate", "digest"; NULL without a connection */
	const char *last_error;       /* one sentence for people; NULL: none */
	uint64_t queries, answers, failures;
	uint64_t handshake_usec;
	uint64_t rtt_median_usec, rtt_p99_usec;
};

struct forwarder_counters {
	uint64_t queries, answers, servfails, dropped;
	unsigned in_flight;
};

struct upstream {
	const struct server
		*servers; /* copied; in any order; none: blocked, SERVFAIL for every query */
	size_t n_servers;
	const struct address *virtual_ips; /* source address per family; a server of a family without
										  one is not used. None at all: no binding (standalone) */
	size_t n_virtual_ips;
	const char *ca_certificates; /* PEM file; NULL: the system's trust store */
	struct known_hosts hosts;    /* copied; answered here as long as there are no servers */
};

typedef void (*forwarder_changed_t)(struct forwarder *forwarder, void *userdata);

/*
 * Listens on UDP and TCP of the loopback address. port 0 takes a free one. fds: two sockets kept
 * from an earlier run (UDP, TCP; ownership passes on success), or NULL. Starts blocked. 0 or
 * -errno.
 */
int forwarder_new(sd_event *event, const struct address *listen, uint16_t port, const int fds[2],
	forwarder_changed_t changed, void *userdata, struct forwarder **ret);

/*
 * Replaces the servers; the listener stays, connections to servers that are unchanged stay, queries
 * in flight to others are answered with SERVFAIL. 0 or -errno, the old ones stay on failure.
 */
int forwarder_set_upstream(struct forwarder *forwarder, const struct upstream *upstream);

uint16_t forwarder_port(const struct forwarder *forwarder);
const int *forwarder_fds(const struct forwarder *forwarder); /* UDP, TCP; stay the forwarder's */
size_t forwarder_n_servers(const struct forwarder *forwarder);
struct server_status forwarder_server_status(const struct forwarder *forwarder, size_t index);
struct forwarder_counters forwarder_counters(const struct forwarder *forwarder);

/* Answers what is in flight with SERVFAIL, closes everything. Takes NULL. Returns NULL. */
struct forwarder *forwarder_free(struct forwarder *forwarder);
