/*
 * One server as the chooser sees it: its connection, its queries, what it has done so far. Inside
 * the chooser: the two share their structs.
 */
#pragma once

#include "chooser.h"
#include "histogram.h"
#include "tls.h"

struct peer {
	struct chooser *chooser;
	uint32_t bit; /* in struct query's tried */
	uint32_t lot; /* random order among equals */
	struct server server;
	struct tls_ticket *ticket;
	enum server_state state;
	struct carrier *carrier;   /* NULL: no connection */
	struct query_list waiting; /* for the connection, or for room on it */
	struct query_list sent;
	struct carrier *leaving; /* the connection before, which answers what it has; NULL: none */
	struct query_list left;  /* sent on that one */
	bool dirty;              /* something is to be flushed */
	bool hesitant;           /* has been connecting for too long: others first */
	unsigned breaks;         /* connections in a row that broke without an answer */
	unsigned attempts;
	uint64_t pause, retry_at, tried_at; /* of a failed one */
	uint64_t heard_at, used_at;
	char last_error[LIMIT_ERROR_TEXT];

	char tls_version[16];
	const char *authenticated_by;
	uint64_t handshake_usec, queries, answers, failures;
	struct histogram rtt;
};

struct chooser {
	const struct chooser_ops *ops;
	void *userdata;
	const struct carrier_events *events;
	struct peer **peers; /* as they were given */
	struct peer **order; /* by priority */
	size_t n_peers;
	uint64_t deadline;
};

static inline uint64_t chooser_now(const struct chooser *chooser)
{
	return chooser->ops->now(chooser->userdata);
}

static inline void chooser_wake_at(struct chooser *chooser, uint64_t usec)
{
	if (usec < chooser->deadline)
		chooser->deadline = usec;
}

int peer_new(struct chooser *chooser, const struct server *server, struct peer **ret);
void peer_free(struct peer *peer); /* fails its queries; takes NULL */

/* error: NULL leaves the last one as it is. Tells the owner where something has changed. */
void peer_set_state(struct peer *peer, enum server_state state, const char *error);

/* False: it has failed at once. */
bool peer_connect(struct peer *peer);
void peer_opened(struct peer *peer);
void peer_disconnect(struct peer *peer);

/* Left alone for a while that grows with every failure in a row. */
void peer_failed(struct peer *peer, const char *reason);

/* Hands waiting queries to the connection; flush makes it send them. */
void peer_pump(struct peer *peer);
void peer_flush(struct peer *peer);

/* The query was under way on a connection that is lost: it may go out once more. */
void peer_send_again(struct peer *peer, struct query *query);

/* Takes the queries off a peer without a connection. What was under way may go out once more. */
void peer_take_all(struct peer *peer, struct query_list *list);

/* The connection takes no more queries: the next one is made beside it. */
void peer_let_go(struct peer *peer, struct query_list *lost);

/* Ends what was let go, and takes the queries that it has not answered. */
void peer_drop_leaving(struct peer *peer, struct query_list *lost);

struct server_status peer_status(const struct peer *peer); /* without .preferred */
