/*
 * The choice of servers, and what happens when they do not answer.
 */
#include "chooser_world.h"

static void test_without_servers(void **state)
{
	struct world *world = world_new(0);

	ask(world);
	assert_int_equal(world->failed[0], 1);
	assert_int_equal(world->code, DNS_EDE_NO_REACHABLE_AUTHORITY);
	world_free(world);
}

static void test_first_priority_first(void **state)
{
	struct world *world = world_new(3);

	assert_int_equal(state_of(world, 0), SERVER_IDLE);
	ask(world);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTING);
	assert_int_equal(world->connects[1] + world->connects[2], 0);
	assert_false(holds(world, 0, 0));
	open_connection(world, 0);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	assert_true(holds(world, 0, 0));
	assert_true(world->flushes > 0);
	answer(world, 0, 0);
	assert_int_equal(world->answered[0], 1);
	assert_true(chooser_status(world->chooser, 0).preferred);
	world_free(world);
}

/* Before the first query; what cannot be reached at all is left for the next. */
static void test_warm_up(void **state)
{
	struct world *world = world_new(2);

	world->unreachable[0] = true;
	chooser_warm_up(world->chooser);
	assert_int_equal(world->connects[0], 1);
	assert_int_equal(world->connects[1], 1);
	open_connection(world, 1);
	chooser_warm_up(world->chooser);
	ask(world);
	assert_int_equal(world->connects[1], 1);
	assert_true(holds(world, 1, 0));
	answer(world, 1, 0);
	pass(world, LIMIT_IDLE_USEC + SECOND);
	assert_null(world->carriers[1]);
	world_free(world);
}

static void test_one_connect_and_flush_for_many(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	open_connection(world, 0);
	world->flushes = 0;
	for (size_t i = 0; i < 10; i++) {
		world->queries[++world->n_queries - 1].arrived = world->now;
		chooser_submit(world->chooser, &world->queries[world->n_queries - 1]);
	}
	chooser_flush(world->chooser);
	assert_int_equal(world->flushes, 1);
	assert_int_equal(world->connects[0], 1);
	world_free(world);
}

/* Connecting fails: the next takes over at once, and the first is tried again
   with growing pauses. */
static void test_failover_and_back(void **state)
{
	struct world *world = world_new(2);

	ask(world);
	close_connection(world, 0, false, "connection refused");
	assert_int_equal(state_of(world, 0), SERVER_FAILED);
	assert_string_equal(chooser_status(world->chooser, 0).last_error, "connection refused");
	open_connection(world, 1);
	answer(world, 1, 0);
	assert_int_equal(world->answered[0], 1);

	pass(world, LIMIT_PAUSE_MIN_USEC - 1);
	assert_int_equal(world->connects[0], 1);
	pass(world, SECOND / 10);
	assert_int_equal(world->connects[0], 2);
	ask(world); /* not held up by the trial */
	assert_true(holds(world, 1, 1));
	answer(world, 1, 1);
	close_connection(world, 0, false, "connection refused");
	pass(world, LIMIT_PAUSE_MIN_USEC + SECOND / 10);
	assert_int_equal(world->connects[0], 2);
	pass(world, LIMIT_PAUSE_MIN_USEC);
	assert_int_equal(world->connects[0], 3);
	open_connection(world, 0);
	ask(world);
	assert_true(holds(world, 0, 2));
	answer(world, 0, 2);
	assert_null(chooser_status(world->chooser, 0).last_error);
	world_free(world);
}

static void test_pauses_grow_to_a_minute(void **state)
{
	struct world *world = world_new(2);
	unsigned before;

	world->unreachable[0] = true;
	ask(world);
	open_connection(world, 1);
	answer(world, 1, 0);
	pass(world, 300 * SECOND);
	before = world->connects[0];
	assert_true(before >= 8 && before <= 14);
	pass(world, 600 * SECOND);
	assert_true(world->connects[0] - before >= 9 && world->connects[0] - before <= 11);
	world_free(world);
}

/* All down: SERVFAIL at once. Whoever asks has them tried again, and waits for
   that only briefly. */
static void test_all_down(void **state)
{
	struct world *world = world_new(2);

	world->unreachable[0] = world->unreachable[1] = true;
	ask(world);
	assert_int_equal(world->failed[0], 1);
	assert_int_equal(world->code, DNS_EDE_NETWORK_ERROR);
	pass(world, 120 * SECOND);
	world->unreachable[1] = false;
	ask(world);
	assert_int_equal(world->failed[1], 0);
	assert_non_null(world->carriers[1]);
	ask(world); /* it is being tried already */
	assert_int_equal(world->failed[2], 0);
	pass(world, LIMIT_REVIVAL_USEC - 1);
	assert_int_equal(world->failed[1], 0);
	pass(world, 1);
	assert_int_equal(world->failed[1], 1);
	assert_int_equal(world->failed[2], 1);
	ask(world); /* and for too long */
	assert_int_equal(world->failed[3], 1);
	close_connection(world, 1, false, "refused");

	pass(world, LIMIT_PAUSE_ASKED_USEC);
	ask(world);
	open_connection(world, 1);
	answer(world, 1, 4);
	assert_int_equal(world->answered[4], 1);
	world_free(world);
}

/* All are down and somebody asks: they are tried again that often, plain ones less. */
static void test_asked_while_down(void **state)
{
	static const struct {
		enum transport transport;
		uint64_t pause;
	} cases[] = {
		{TRANSPORT_DOT, LIMIT_PAUSE_ASKED_USEC},
		{TRANSPORT_PLAIN, LIMIT_PAUSE_PLAIN_USEC},
	};

	for (size_t i = 0; i < 2; i++) {
		struct world *world = world_new(0);

		world->servers[0].transport = cases[i].transport;
		set_servers(world, 1, NULL, false);
		world->unreachable[0] = true;
		ask(world);
		pass(world, 120 * SECOND); /* its own pauses are long by now */
		ask(world);
		world->connects[0] = 0;
		pass(world, cases[i].pause - 1);
		ask(world);
		assert_int_equal(world->connects[0], 0);
		pass(world, 1);
		ask(world);
		assert_int_equal(world->connects[0], 1);
		world_free(world);
	}
}

/* However many things are due, the chooser wakes up that seldom. */
static void test_wakes_up_seldom(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	open_connection(world, 0);
	pass(world, LIMIT_ATTEMPT_USEC - 1);
	chooser_tick(world->chooser);
	assert_int_equal(chooser_deadline(world->chooser), world->now + LIMIT_TICK_USEC);
	world_free(world);
}

static void test_longest_error(void **state)
{
	struct world *world = world_new(1);
	char reason[2 * LIMIT_ERROR_TEXT];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	ask(world);
	close_connection(world, 0, false, reason);
	assert_int_equal(
		strlen(chooser_status(world->chooser, 0).last_error), LIMIT_ERROR_TEXT - 1);
	world_free(world);
}

/* A server that refuses later than it may be tried again is not tried over and over for one query. */
static void test_one_revival_per_query(void **state)
{
	struct world *world = world_new(1);

	world->unreachable[0] = true;
	ask(world);
	pass(world, 120 * SECOND);
	world->unreachable[0] = false;
	ask(world);
	assert_int_equal(world->failed[1], 0);
	pass(world, LIMIT_PAUSE_ASKED_USEC + 5000);
	close_connection(world, 0, false, "refused");
	assert_int_equal(world->failed[1], 1);
	world_free(world);
}

/* Of several that are tried again the first to be back gets the query. */
static void test_revival_by_another(void **state)
{
	struct world *world = world_new(2);

	world->unreachable[0] = world->unreachable[1] = true;
	ask(world);
	pass(world, 120 * SECOND);
	world->unreachable[0] = world->unreachable[1] = false;
	ask(world);
	open_connection(world, 1);
	assert_true(holds(world, 1, 1));
	answer(world, 1, 1);
	world_free(world);
}

/* I13: a mismatch is final: no pause leads back and no repeated wish, only another server. */
static void test_final_refusal(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	close_connection(world, 0, true, "the digest does not match");
	assert_int_equal(state_of(world, 0), SERVER_REFUSED);
	assert_int_equal(world->failed[0], 1);
	pass(world, 3600 * SECOND);
	ask(world);
	assert_int_equal(world->failed[1], 1);
	set_servers(world, 1, NULL, true);
	ask(world);
	assert_int_equal(world->connects[0], 1);
	set_servers(world, 0, NULL, true);
	set_servers(world, 1, NULL, true);
	ask(world);
	assert_int_equal(world->connects[0], 2);
	world_free(world);
}

static void test_refused_from_the_start(void **state)
{
	static const char *const refused[] = {"not spoken here", NULL};
	struct world *world = world_new(0);

	set_servers(world, 2, refused, false);
	assert_int_equal(state_of(world, 0), SERVER_REFUSED);
	assert_string_equal(chooser_status(world->chooser, 0).last_error, "not spoken here");
	ask(world);
	assert_int_equal(world->connects[0], 0);
	assert_int_equal(world->connects[1], 1);
	world_free(world);
}

/* What was under way goes out once more, on a new connection to the same server; not twice. */
static void test_broken_connection(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	open_connection(world, 0);
	answer(world, 0, 0);
	ask(world);
	close_connection(world, 0, false, NULL);
	assert_int_equal(world->connects[0], 2);
	open_connection(world, 0);
	assert_true(holds(world, 0, 1));
	close_connection(world, 0, false, NULL);
	assert_int_equal(world->failed[1], 1);
	assert_int_equal(state_of(world, 0), SERVER_FAILED);
	assert_int_equal(world->sends[0], 3);
	world_free(world);
}

static void test_closed_while_idle_is_no_failure(void **state)
{
	struct world *world = world_new(1);

	for (size_t i = 0; i < 5; i++) {
		ask(world);
		open_connection(world, 0);
		answer(world, 0, i);
		close_connection(world, 0, false, NULL);
		assert_int_equal(state_of(world, 0), SERVER_IDLE);
	}
	assert_int_equal(chooser_status(world->chooser, 0).failures, 0);
	world_free(world);
}

/* Silence: after LIMIT_ATTEMPT_USEC the next server, and the silent one counts as failed. */
static void test_silent_server(void **state)
{
	struct world *world = world_new(2);

	ask(world);
	open_connection(world, 0);
	pass(world, LIMIT_ATTEMPT_USEC - 1);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	pass(world, 1 + LIMIT_TICK_USEC);
	assert_int_equal(state_of(world, 0), SERVER_FAILED);
	open_connection(world, 1);
	assert_true(holds(world, 1, 0));
	answer(world, 1, 0);
	assert_int_equal(world->answered[0], 1);
	world_free(world);
}

/* One name that takes long does not take the server down that answers others. */
static void test_slow_name(void **state)
{
	struct world *world = world_new(2);

	ask(world);
	open_connection(world, 0);
	pass(world, SECOND);
	ask(world);
	answer(world, 0, 1);
	pass(world, SECOND * 6 / 10);
	open_connection(world, 1);
	assert_true(holds(world, 1, 0));
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	answer(world, 1, 0);
	world_free(world);
}

/* A single server: one new connection, then SERVFAIL within 5 s (D6). */
static void test_silent_single_server(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	open_connection(world, 0);
	pass(world, LIMIT_ATTEMPT_USEC + SECOND / 10);
	assert_int_equal(world->connects[0], 2);
	open_connection(world, 0);
	assert_true(holds(world, 0, 0));
	pass(world, LIMIT_ATTEMPT_USEC + SECOND / 10);
	assert_int_equal(world->connects[0], 2);
	pass(world, LIMIT_TOTAL_USEC - 1 - 2 * (LIMIT_ATTEMPT_USEC + SECOND / 10));
	assert_int_equal(world->failed[0], 0);
	pass(world, 1 + LIMIT_TICK_USEC);
	assert_int_equal(world->failed[0], 1);
	assert_int_equal(world->code, DNS_EDE_NO_REACHABLE_AUTHORITY);
	assert_int_equal(state_of(world, 0), SERVER_FAILED);
	world_free(world);
}

/* Connecting takes long: others first, but it may still come. */
static void test_slow_connection(void **state)
{
	struct world *world = world_new(2);

	ask(world);
	pass(world, LIMIT_ATTEMPT_USEC + SECOND / 10);
	assert_int_equal(world->connects[1], 1);
	open_connection(world, 1);
	assert_true(holds(world, 1, 0));
	answer(world, 1, 0);
	ask(world);
	assert_true(holds(world, 1, 1));
	open_connection(world, 0);
	ask(world);
	assert_true(holds(world, 0, 2));
	world_free(world);
}

static void test_nothing_opens(void **state)
{
	struct world *world = world_new(3);

	ask(world);
	pass(world, 5 * SECOND);
	assert_int_equal(world->failed[0], 1);
	world_free(world);
}

static void test_lost_datagram(void **state)
{
	struct world *world = world_new(1);

	world->born_open = world->lossy = true;
	ask(world);
	assert_int_equal(world->sends[0], 1);
	pass(world, LIMIT_ATTEMPT_USEC + SECOND / 10);
	assert_int_equal(world->sends[0], 2);
	assert_int_equal(world->connects[0], 1);
	answer(world, 0, 0);
	world_free(world);
}

static void test_no_room(void **state)
{
	struct world *world = world_new(1);

	world->room = 2;
	for (size_t i = 0; i < 5; i++)
		ask(world);
	open_connection(world, 0);
	assert_int_equal(world->sends[0], 2);
	answer(world, 0, 0);
	assert_int_equal(world->sends[0], 3);
	for (size_t i = 1; i < 5; i++)
		answer(world, 0, i);
	assert_int_equal(world->sends[0], 5);
	world_free(world);
}

static void test_refused_query(void **state)
{
	struct world *world = world_new(2);
	struct carrier *carrier;

	ask(world);
	open_connection(world, 0);
	carrier = &world->carriers[0]->carrier;

	drop_held(world->carriers[0], &world->queries[0]);
	carrier->events->refused(carrier, &world->queries[0], true, carrier->userdata);
	carrier->events->idle(carrier, carrier->userdata);
	assert_true(holds(world, 0, 0)); /* the server had not looked at it: here again */

	drop_held(world->carriers[0], &world->queries[0]);
	carrier->events->refused(carrier, &world->queries[0], true, carrier->userdata);
	carrier->events->idle(carrier, carrier->userdata);
	open_connection(world, 1);
	assert_true(holds(world, 1, 0));

	drop_held(world->carriers[1], &world->queries[0]);
	carrier = &world->carriers[1]->carrier;
	carrier->events->refused(carrier, &world->queries[0], false, carrier->userdata);
	assert_int_equal(world->failed[0], 1);
	world_free(world);
}

static void test_idle_connection_is_closed(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	open_connection(world, 0);
	answer(world, 0, 0);
	pass(world, LIMIT_IDLE_USEC - SECOND);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	pass(world, 2 * SECOND);
	assert_int_equal(state_of(world, 0), SERVER_IDLE);
	assert_int_equal(chooser_deadline(world->chooser), UINT64_MAX);
	world_free(world);
}

/* Of equals the one that works; which one is tried first is left to chance (I6). */
static void test_equal_priority(void **state)
{
	unsigned first = 0;

	for (int i = 0; i < 64; i++) {
		struct world *world = world_new(0);
		size_t chosen;

		world->servers[1].priority = 1;
		set_servers(world, 2, NULL, false);
		ask(world);
		chosen = world->connects[0] ? 0 : 1;
		first += chosen == 0;
		close_connection(world, chosen, false, "refused");
		open_connection(world, !chosen);
		answer(world, !chosen, 0);
		pass(world, SECOND);
		if (world->carriers[chosen])
			close_connection(world, chosen, false, "refused");
		ask(world);
		assert_true(holds(world, !chosen, 1));
		world_free(world);
	}
	assert_true(first >= 8 && first <= 56);
}

/* Unchanged servers keep their connection and queries, what is in flight to others fails. */
static void test_set_servers_keeps(void **state)
{
	struct world *world = world_new(2);
	struct server first;

	world->unreachable[0] = true;
	ask(world);
	open_connection(world, 1);
	assert_true(holds(world, 1, 0));
	world->unreachable[0] = false;

	first = world->servers[0];
	world->servers[0] = world->servers[1];
	world->servers[1] = world->servers[2];
	set_servers(world, 2, NULL, true);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	assert_int_equal(world->failed[0], 0);
	assert_true(holds(world, 1, 0));

	world->servers[0] = first;
	set_servers(world, 1, NULL, true);
	assert_int_equal(world->failed[0], 1);
	assert_null(world->carriers[1]);

	ask(world);
	open_connection(world, 0);
	set_servers(world, 1, NULL, false);
	assert_int_equal(world->failed[1], 1);
	world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_servers),
		cmocka_unit_test(test_first_priority_first),
		cmocka_unit_test(test_warm_up),
		cmocka_unit_test(test_one_connect_and_flush_for_many),
		cmocka_unit_test(test_failover_and_back),
		cmocka_unit_test(test_pauses_grow_to_a_minute),
		cmocka_unit_test(test_all_down),
		cmocka_unit_test(test_asked_while_down),
		cmocka_unit_test(test_wakes_up_seldom),
		cmocka_unit_test(test_longest_error),
		cmocka_unit_test(test_one_revival_per_query),
		cmocka_unit_test(test_revival_by_another),
		cmocka_unit_test(test_final_refusal),
		cmocka_unit_test(test_refused_from_the_start),
		cmocka_unit_test(test_broken_connection),
		cmocka_unit_test(test_closed_while_idle_is_no_failure),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_slow_name),
		cmocka_unit_test(test_silent_single_server),
		cmocka_unit_test(test_slow_connection),
		cmocka_unit_test(test_nothing_opens),
		cmocka_unit_test(test_lost_datagram),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_refused_query),
		cmocka_unit_test(test_idle_connection_is_closed),
		cmocka_unit_test(test_equal_priority),
		cmocka_unit_test(test_set_servers_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
