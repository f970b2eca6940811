/*
 * Connections that the server leaves in order: what it has begun with it answers, the rest goes to
 * the next connection.
 */
#include "chooser_world.h"

static void leave(struct fake_carrier *fake)
{
	fake->carrier.events->leaving(&fake->carrier, fake->carrier.userdata);
}

static void refuse(struct fake_carrier *fake, struct query *query)
{
	drop_held(fake, query);
	fake->carrier.events->refused(&fake->carrier, query, true, fake->carrier.userdata);
}

/* The test's queries are asked one by one; the connection that they are on is the latest. */
static struct fake_carrier *open_with_queries(struct world *world, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ask(world);
	open_connection(world, 0);
	assert_int_equal(world->carriers[0]->n_held, n);
	return world->carriers[0];
}

static void test_answers_on_both(void **state)
{
	struct world *world = world_new(1);
	struct fake_carrier *old = open_with_queries(world, 2);

	leave(old);
	refuse(old, &world->queries[1]);
	assert_int_equal(world->connects[0], 2);
	ask(world);
	open_connection(world, 0);
	assert_true(holds(world, 0, 1) && holds(world, 0, 2));
	answer_on(old, 0);
	assert_int_equal(world->answered[0], 1);
	close_on(old, false, NULL);
	assert_int_equal(state_of(world, 0), SERVER_CONNECTED);
	answer(world, 0, 1);
	answer(world, 0, 2);
	assert_int_equal(chooser_status(world->chooser, 0).failures, 0);
	world_free(world);
}

/* No connection is made as long as nobody asks. */
static void test_nothing_left_to_ask(void **state)
{
	struct world *world = world_new(1);
	struct fake_carrier *old = open_with_queries(world, 1);

	leave(old);
	assert_int_equal(state_of(world, 0), SERVER_IDLE);
	answer_on(old, 0);
	close_on(old, false, NULL);
	assert_int_equal(world->connects[0], 1);
	world_free(world);
}

/* The server breaks its promise: what it has not answered goes out once more. */
static void test_breaks_while_leaving(void **state)
{
	struct world *world = world_new(1);
	struct fake_carrier *old = open_with_queries(world, 1);

	leave(old);
	close_on(old, false, NULL);
	assert_int_equal(world->connects[0], 2);
	open_connection(world, 0);
	answer(world, 0, 0);
	assert_int_equal(world->answered[0], 1);
	world_free(world);
}

static void test_silent_while_leaving(void **state)
{
	struct world *world = world_new(1);
	struct fake_carrier *old = open_with_queries(world, 1);

	leave(old);
	pass(world, LIMIT_ATTEMPT_USEC + SECOND / 10);
	assert_int_equal(world->connects[0], 2);
	assert_int_equal(world->freed, 1);
	open_connection(world, 0);
	answer(world, 0, 0);
	world_free(world);
}

/* The next one is left too, before the first has ended. */
static void test_leaves_twice(void **state)
{
	struct world *world = world_new(1);
	struct fake_carrier *old = open_with_queries(world, 1), *next;

	leave(old);
	ask(world);
	ask(world);
	open_connection(world, 0);
	next = world->carriers[0];
	answer_on(next, 1);
	leave(next);
	assert_int_equal(world->freed, 1);
	open_connection(world, 0);
	assert_true(holds(world, 0, 0));
	answer_on(next, 2);
	close_on(next, false, NULL);
	answer(world, 0, 0);
	assert_int_equal(world->answered[0] + world->answered[2], 2);
	world_free(world);
}

/* A server that only ever leaves has failed. */
static void test_only_leaves(void **state)
{
	struct world *world = world_new(1);

	ask(world);
	for (int i = 0; i < 2; i++) {
		struct fake_carrier *fake;

		open_connection(world, 0);
		fake = world->carriers[0];
		leave(fake);
		refuse(fake, &world->queries[0]);
		close_on(fake, false, NULL);
	}
	assert_int_equal(world->failed[0], 1);
	assert_int_equal(state_of(world, 0), SERVER_FAILED);
	assert_int_equal(world->connects[0], 2);
	world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_on_both),
		cmocka_unit_test(test_nothing_left_to_ask),
		cmocka_unit_test(test_breaks_while_leaving),
		cmocka_unit_test(test_silent_while_leaving),
		cmocka_unit_test(test_leaves_twice),
		cmocka_unit_test(test_only_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
