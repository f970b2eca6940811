/*
 * A query in flight and the pool that queries come from. The pool grows in chunks up to
 * LIMIT_QUERIES, nothing is allocated per query, and a query always has one owner: the listener
 * while it is read, then the chooser (in one of its servers' lists) or another query whose answer it
 * waits for (inflight.h), then the pool again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "bounds.h"

/* Where the answer goes. */
struct asker {
	union {
		struct sockaddr_in6 in6;
		struct sockaddr_in in;
		struct sockaddr any;
	} address; /* over UDP */
	bool tcp;
	uint8_t client;      /* over TCP: place in the listener's table ... */
	uint32_t generation; /* ... and which of its tenants */
};

struct query {
	struct query *next, *previous;
	struct query *chain, *followers; /* inflight.h's */
	struct asker asker;
	uint16_t asker_id;
	uint16_t limit;   /* longest answer that the asker takes */
	bool edns;        /* the asker sent an OPT record */
	bool resent;      /* went out a second time because a connection broke */
	bool late;        /* has not been answered within LIMIT_ATTEMPT_USEC */
	uint32_t tried;   /* servers that have failed it, one bit each */
	uint64_t arrived; /* monotonic, as all times */
	uint64_t sent;    /* to a server, or put on its list of waiting ones */
	uint64_t handle;  /* the transport's: stream or socket */
	uint16_t id;      /* upstream */
	uint16_t length, question_length;
	uint16_t bucket; /* inflight.h's */
	uint8_t message[LIMIT_QUERY_SIZE];
};

struct query_list {
	struct query *first, *last;
	unsigned n;
};

struct query_pool;

int query_pool_new(struct query_pool **ret);
struct query_pool *query_pool_free(struct query_pool *pool); /* with all queries; takes NULL */

/* A query with everything but the message zeroed, or NULL: LIMIT_QUERIES are out, or no memory. */
struct query *query_pool_get(struct query_pool *pool);
void query_pool_put(struct query_pool *pool, struct query *query);
unsigned query_pool_used(const struct query_pool *pool);

void query_list_append(struct query_list *list, struct query *query);
void query_list_remove(struct query_list *list, struct query *query);
struct query *query_list_pop(struct query_list *list);                /* the first, or NULL */
void query_list_move(struct query_list *from, struct query_list *to); /* all, to the end */
