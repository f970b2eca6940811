/*
 * The side that resolved asks: UDP and TCP sockets on a loopback address, many datagrams per system
 * call in both directions. Reads and checks queries, hands them on, and brings the answers back to
 * whoever asked. TCP connections carry several queries at a time, answered in any order (RFC 7766).
 */
#pragma once

#include <systemd/sd-event.h>

#include "dns.h"
#include "query.h"
#include "server.h"

struct listener;

struct listener_events {
	/* A query that may be answered: the receiver's until listener_answer or listener_fail. */
	void (*query)(struct query *query, void *userdata);
	/* A batch of queries ends, or a client has come. */
	void (*idle)(void *userdata);
};

struct listener_counters {
	uint64_t queries; /* well-formed ones */
	uint64_t answers; /* without the errors of our own */
	uint64_t servfails;
	uint64_t dropped; /* not DNS queries, or not to be delivered */
};

/*
 * address, port, fds: as for forwarder_new. Queries come from the pool, which outlives the
 * listener. 0 or -errno; on failure the fds are still the caller's.
 */
int listener_new(sd_event *event, const struct address *address, uint16_t port, const int fds[2],
	struct query_pool *pool, const struct listener_events *events, void *userdata,
	struct listener **ret);
struct listener *listener_free(struct listener *listener); /* takes NULL */

/* Whether queries get an OPT record with padding (RFC 8467): set while the
   upstream is encrypted. */
void listener_set_padding(struct listener *listener, bool pad);

/*
 * Answers a query and puts it back into the pool. message gets the asker's id and is cut to the
 * asker's size, in place; it must stay as it is until listener_flush.
 */
void listener_answer(struct listener *listener, struct query *query, uint8_t *message,
	size_t length, const struct dns_message *parsed);
void listener_fail(
	struct listener *listener, struct query *query, enum dns_ede code, const char *text);

/* The name asked for has this address and no other. */
void listener_answer_address(
	struct listener *listener, struct query *query, const struct address *address);

/* Sends the answers collected. */
void listener_flush(struct listener *listener);

/* TCP connections that have been quiet for too long are closed by a tick when its deadline has
 * come. */
uint64_t listener_deadline(const struct listener *listener); /* UINT64_MAX: nothing to do */
void listener_tick(struct listener *listener);

uint16_t listener_port(const struct listener *listener);
const int *listener_fds(const struct listener *listener); /* UDP, TCP */
struct listener_counters listener_counters(const struct listener *listener);
