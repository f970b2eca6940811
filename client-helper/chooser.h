/*
 * Which server a query goes to, and what happens when it does not answer: by service priority,
 * among equals the one that works, equals in random order (I6). A server that fails is left for the
 * next and tried again in the background with growing pauses; a server whose certificate no digest
 * matches is never tried again (I13). Pure logic: the clock and the connections are its owner's.
 *
 * Every query that is submitted comes back exactly once, through answer or fail.
 */
#pragma once

#include "forwarder.h"
#include "transport.h"

struct chooser;

struct chooser_ops {
	uint64_t (*now)(void *userdata); /* monotonic, in microseconds */

	/* Makes a connection. config has server, ticket, attempt, events and their userdata; the rest
	   is for the owner to fill in. The chooser frees the carrier. */
	int (*connect)(struct carrier_config *config, struct carrier **ret,
		char reason[static LIMIT_ERROR_TEXT], void *userdata);

	/* The query is the owner's again. message is to be used before idle returns. */
	void (*answer)(struct query *query, uint8_t *message, size_t length,
		const struct dns_message *parsed, void *userdata);
	void (*fail)(struct query *query, enum dns_ede code, const char *text, void *userdata);

	/* What was answered since the last time is to be sent now. */
	void (*idle)(void *userdata);

	/* A server's state or last error is another. */
	void (*changed)(void *userdata);
};

/* Without servers: every query fails. ops outlives the chooser. 0 or -errno. */
int chooser_new(const struct chooser_ops *ops, void *userdata, struct chooser **ret);

/* Fails what is in flight. Takes NULL. */
struct chooser *chooser_free(struct chooser *chooser);

/*
 * Replaces the servers by copies of these, at most LIMIT_SERVERS. With keep, servers that were
 * there before keep state, connection, queries and statistics; what is in flight to others fails.
 * refused: for every server NULL, or why it must not be used. 0, or -errno and nothing has changed.
 */
int chooser_set_servers(struct chooser *chooser, const struct server *servers, size_t n_servers,
	const char *const *refused, bool keep);

size_t chooser_n_servers(const struct chooser *chooser);

/* Connects to the first server to be asked, so that its handshake is done when the first query
 * comes. */
void chooser_warm_up(struct chooser *chooser);

void chooser_submit(struct chooser *chooser, struct query *query);

/* Sends what was submitted since the last time: once per batch. */
void chooser_flush(struct chooser *chooser);

/* When chooser_tick has something to do, UINT64_MAX: not for now. Moves up on its own. */
uint64_t chooser_deadline(const struct chooser *chooser);
void chooser_tick(struct chooser *chooser);

struct server_status chooser_status(const struct chooser *chooser, size_t index);
