/*
 * A chooser under a clock and connections that the test moves by hand.
 */
#pragma once

#include "dns_messages.h"

#include <errno.h>
#include <stdio.h>

#include "client-helper/chooser.h"

#define SECOND UINT64_C(1000000)

enum { SERVERS = 3, QUERIES = 32 };

struct fake_carrier {
	struct carrier carrier;
	struct world *world;
	size_t server;
	struct query *held[QUERIES]; /* sent and neither answered nor forgotten */
	size_t n_held;
};

struct world {
	uint64_t now;
	struct chooser *chooser;
	struct server servers[SERVERS];
	struct fake_carrier *carriers[SERVERS]; /* the latest of each server; NULL: freed */
	bool unreachable[SERVERS];
	bool born_open, lossy;
	size_t room; /* queries that a carrier takes */
	unsigned connects[SERVERS], made, freed, sends[SERVERS], flushes;
	struct query queries[QUERIES];
	size_t n_queries;
	unsigned answered[QUERIES], failed[QUERIES];
	enum dns_ede code;
	unsigned changes;
};

/* ---- the fakes ---- */

static inline void drop_held(struct fake_carrier *fake, struct query *query)
{
	for (size_t i = 0; i < fake->n_held; i++)
		if (fake->held[i] == query) {
			fake->held[i] = fake->held[--fake->n_held];
			return;
		}
	fail_msg("the carrier does not hold the query");
}

static inline int fake_send(struct carrier *carrier, struct query *query)
{
	struct fake_carrier *fake = (struct fake_carrier *)carrier;

	assert_true(carrier->open);
	if (fake->n_held == fake->world->room)
		return -EAGAIN;
	fake->held[fake->n_held++] = query;
	fake->world->sends[fake->server]++;
	return 0;
}

static inline void fake_flush(struct carrier *carrier)
{
	((struct fake_carrier *)carrier)->world->flushes++;
}

static inline void fake_forget(struct carrier *carrier, struct query *query)
{
	drop_held((struct fake_carrier *)carrier, query);
}

static inline void fake_free(struct carrier *carrier)
{
	struct fake_carrier *fake = (struct fake_carrier *)carrier;

	if (fake->world->carriers[fake->server] == fake)
		fake->world->carriers[fake->server] = NULL;
	fake->world->freed++;
	free(fake);
}

static inline uint64_t fake_now(void *userdata)
{
	return ((struct world *)userdata)->now;
}

static inline int fake_connect(struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT], void *userdata)
{
	static const struct carrier_ops ops = {
		.send = fake_send,
		.flush = fake_flush,
		.forget = fake_forget,
		.free = fake_free,
	};
	struct world *world = userdata;
	size_t server = config->server->port;
	struct fake_carrier *fake;

	world->connects[server]++;
	if (world->unreachable[server]) {
		snprintf(reason, LIMIT_ERROR_TEXT, "unreachable");
		return -EHOSTUNREACH;
	}
	fake = calloc(1, sizeof(*fake));
	assert_non_null(fake);
	fake->carrier = (struct carrier){
		.ops = &ops,
		.events = config->events,
		.userdata = config->userdata,
		.open = world->born_open,
		.lossy = world->lossy,
	};
	fake->world = world;
	fake->server = server;
	world->carriers[server] = fake;
	world->made++;
	*ret = &fake->carrier;
	return 0;
}

static inline void fake_answer(struct query *query, uint8_t *message, size_t length,
	const struct dns_message *parsed, void *userdata)
{
	struct world *world = userdata;

	world->answered[query - world->queries]++;
}

static inline void fake_fail(
	struct query *query, enum dns_ede code, const char *text, void *userdata)
{
	struct world *world = userdata;

	assert_non_null(text);
	world->code = code;
	world->failed[query - world->queries]++;
}

static inline void fake_idle(void *userdata)
{
}

static inline void fake_changed(void *userdata)
{
	((struct world *)userdata)->changes++;
}

/* ---- what the tests do ---- */

static inline void set_servers(struct world *world, size_t n, const char *const *refused, bool keep)
{
	assert_int_equal(chooser_set_servers(world->chooser, world->servers, n, refused, keep), 0);
}

/* n servers with priorities 1, 2, ...; the port tells them apart. */
static inline struct world *world_new(size_t n)
{
	static const struct chooser_ops ops = {
		.now = fake_now,
		.connect = fake_connect,
		.answer = fake_answer,
		.fail = fake_fail,
		.idle = fake_idle,
		.changed = fake_changed,
	};
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->now = 1000 * SECOND;
	world->room = QUERIES;
	for (size_t i = 0; i < SERVERS; i++)
		world->servers[i] = (struct server){
			.transport = TRANSPORT_DOT,
			.priority = 1 + i,
			.port = i,
		};
	assert_int_equal(chooser_new(&ops, world, &world->chooser), 0);
	set_servers(world, n, NULL, false);
	return world;
}

/* Every query has had exactly one outcome by the end. */
static inline void world_free(struct world *world)
{
	chooser_free(world->chooser);
	for (size_t i = 0; i < world->n_queries; i++)
		assert_int_equal(world->answered[i] + world->failed[i], 1);
	assert_int_equal(world->made, world->freed);
	free(world);
}

static inline size_t ask(struct world *world)
{
	size_t index = world->n_queries++;
	struct query *query = &world->queries[index];

	assert_true(index < QUERIES);
	query->arrived = world->now;
	chooser_submit(world->chooser, query);
	chooser_flush(world->chooser);
	return index;
}

/* Time goes on; the chooser is woken exactly when it asked to be. */
static inline void pass(struct world *world, uint64_t usec)
{
	uint64_t end = world->now + usec;

	while (chooser_deadline(world->chooser) <= end) {
		if (chooser_deadline(world->chooser) > world->now)
			world->now = chooser_deadline(world->chooser);
		chooser_tick(world->chooser);
	}
	world->now = end;
}

static inline void open_connection(struct world *world, size_t server)
{
	struct carrier *carrier = &world->carriers[server]->carrier;

	carrier->open = true;
	carrier->events->ready(carrier, carrier->userdata);
}

static inline void close_on(struct fake_carrier *fake, bool final, const char *reason)
{
	fake->carrier.events->closed(&fake->carrier, final, reason, fake->carrier.userdata);
}

static inline void close_connection(
	struct world *world, size_t server, bool final, const char *reason)
{
	close_on(world->carriers[server], final, reason);
}

static inline void answer_on(struct fake_carrier *fake, size_t index)
{
	struct world *world = fake->world;
	struct carrier *carrier = &fake->carrier;
	struct dns_message parsed = {0};
	uint8_t message[DNS_HEADER_SIZE] = {0};

	drop_held(fake, &world->queries[index]);
	carrier->events->answer(
		carrier, &world->queries[index], message, sizeof(message), &parsed, carrier->userdata);
	carrier->events->idle(carrier, carrier->userdata);
}

static inline void answer(struct world *world, size_t server, size_t index)
{
	answer_on(world->carriers[server], index);
}

static inline bool holds(const struct world *world, size_t server, size_t index)
{
	const struct fake_carrier *fake = world->carriers[server];

	for (size_t i = 0; fake && i < fake->n_held; i++)
		if (fake->held[i] == &world->queries[index])
			return true;
	return false;
}

static inline enum server_state state_of(const struct world *world, size_t server)
{
	return chooser_status(world->chooser, server).state;
}
