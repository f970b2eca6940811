/*
 * The HTTP/2 side of DoH against a server in memory.
 */
#include "dns_messages.h"

#include <errno.h>

#include "client-helper/http2.h"
#include "h2_server.h"

enum { QUERIES = 16 };

struct pair {
	struct http2 *http2;
	struct h2_server *server;
	unsigned times;
	struct query queries[QUERIES];
	unsigned answered[QUERIES], refused[QUERIES], refused_again[QUERIES];
	size_t length; /* of the last answer */
	bool left;
};

static void on_answer(struct query *query, uint8_t *body, size_t length, void *userdata)
{
	struct pair *pair = userdata;
	struct dns_message parsed;

	assert_int_equal(dns_read(body, length, &parsed), 0);
	assert_true(dns_same_question(body + 12, query->message + 12, query->question_length));
	pair->answered[query - pair->queries]++;
	pair->length = length;
}

static void on_refused(struct query *query, bool again, void *userdata)
{
	struct pair *pair = userdata;

	(again ? pair->refused_again : pair->refused)[query - pair->queries]++;
}

static void on_leaving(void *userdata)
{
	struct pair *pair = userdata;

	assert_false(pair->left);
	pair->left = true;
}

static struct pair *pair_new(enum h2_manner manner, unsigned max_streams)
{
	static const struct http2_events events = {
		.answer = on_answer,
		.refused = on_refused,
		.leaving = on_leaving,
	};
	struct pair *pair = calloc(1, sizeof(*pair));
	struct h2_server_config config = {
		.manner = manner,
		.max_streams = max_streams,
		.times = &pair->times,
	};

	assert_non_null(pair);
	assert_int_equal(
		http2_new("dns.corp.example", 8443, "/dns-query", &events, pair, &pair->http2), 0);
	pair->server = h2_server_new(&config);
	for (size_t i = 0; i < QUERIES; i++) {
		char name[] = "na.corp.example";
		struct message message;
		struct dns_message parsed;

		name[1] += i;
		message = query_for(i, name);
		assert_int_equal(dns_read(message.data, message.length, &parsed), 0);
		pair->queries[i].question_length = parsed.question_length;
		pair->queries[i].length =
			dns_write_query(message.data, &parsed, true, pair->queries[i].message);
	}
	return pair;
}

static void pair_free(struct pair *pair)
{
	http2_free(pair->http2);
	h2_server_free(pair->server);
	free(pair);
}

/* Carries octets both ways until there are none left. The client's result. */
static int talk(struct pair *pair, size_t piece)
{
	uint8_t octets[4096];
	int result = 0;
	bool moved;
	size_t n;

	do {
		moved = false;
		while ((n = http2_output(pair->http2, octets, piece)) > 0) {
			assert_true(h2_server_receive(pair->server, octets, n));
			moved = true;
		}
		while (result == 0 && (n = h2_server_output(pair->server, octets, piece)) > 0) {
			uint8_t *exact = malloc(n);

			assert_non_null(exact);
			memcpy(exact, octets, n);
			result = http2_receive(pair->http2, exact, n);
			free(exact);
			moved = true;
		}
		http2_recycle(pair->http2);
	} while (moved && result == 0);
	return result;
}

static void submit(struct pair *pair, size_t index)
{
	assert_int_equal(http2_submit(pair->http2, &pair->queries[index]), 0);
}

static void test_proper(void **state)
{
	static const size_t pieces[] = {4096, 17, 1};

	for (size_t p = 0; p < 3; p++) {
		struct pair *pair = pair_new(H2_PROPER, 0);
		struct h2_seen seen;

		for (size_t i = 0; i < QUERIES; i++)
			submit(pair, i);
		assert_int_equal(talk(pair, pieces[p]), 0);
		for (size_t i = 0; i < QUERIES; i++)
			assert_int_equal(pair->answered[i], 1);
		seen = h2_server_seen(pair->server);
		assert_int_equal(seen.requests, QUERIES);
		assert_true(seen.post && seen.path && seen.authority && seen.type && seen.id_zero);
		pair_free(pair);
	}
}

static void test_refusals(void **state)
{
	static const enum h2_manner manners[] = {H2_STATUS, H2_TYPE, H2_TOO_LONG, H2_RESETS};

	for (size_t m = 0; m < 4; m++) {
		struct pair *pair = pair_new(manners[m], 0);

		submit(pair, 0);
		submit(pair, 1);
		assert_int_equal(talk(pair, 4096), 0);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(pair->answered[i], 0);
			assert_int_equal(pair->refused[i], 1);
			assert_int_equal(pair->refused_again[i], 0);
		}
		pair_free(pair);
	}
}

static void test_longest_answer(void **state)
{
	struct pair *pair = pair_new(H2_HUGE, 0);

	for (size_t round = 0; round < 3; round++) {
		submit(pair, round);
		submit(pair, round + 8);
		assert_int_equal(talk(pair, 4096), 0);
		assert_int_equal(pair->answered[round], 1);
		assert_int_equal(pair->answered[round + 8], 1);
		assert_int_equal(pair->length, 65535);
	}
	pair_free(pair);
}

static void test_early_hints(void **state)
{
	struct pair *pair = pair_new(H2_EARLY_HINTS, 0);

	submit(pair, 0);
	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(pair->answered[0], 1);
	pair_free(pair);
}

static void test_refused_streams_may_go_again(void **state)
{
	struct pair *pair = pair_new(H2_REFUSES, 0);

	pair->times = 1;
	submit(pair, 0);
	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(pair->refused_again[0], 1);
	submit(pair, 0);
	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(pair->answered[0], 1);
	pair_free(pair);
}

static void test_stream_limit(void **state)
{
	struct pair *pair = pair_new(H2_SILENT, 3);

	assert_int_equal(talk(pair, 4096), 0); /* the server's settings */
	for (size_t i = 0; i < 3; i++)
		submit(pair, i);
	assert_int_equal(http2_submit(pair->http2, &pair->queries[3]), -EAGAIN);
	assert_int_equal(talk(pair, 4096), 0);
	/* One that is given up makes room. */
	http2_forget(pair->http2, &pair->queries[1]);
	assert_int_equal(talk(pair, 4096), 0);
	submit(pair, 3);
	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(h2_server_seen(pair->server).most_at_a_time, 3);
	assert_int_equal(pair->refused[1] + pair->refused_again[1] + pair->answered[1], 0);
	pair_free(pair);
}

/* A server that allows more streams than we use. */
static void test_own_stream_limit(void **state)
{
	struct pair *pair = pair_new(H2_SILENT, 4 * LIMIT_HTTP2_STREAMS);

	assert_int_equal(talk(pair, 4096), 0);
	for (size_t i = 0; i < LIMIT_HTTP2_STREAMS; i++) {
		submit(pair, 0);
		assert_int_equal(talk(pair, 4096), 0);
	}
	assert_int_equal(http2_submit(pair->http2, &pair->queries[1]), -EAGAIN);
	assert_int_equal(h2_server_seen(pair->server).most_at_a_time, LIMIT_HTTP2_STREAMS);
	pair_free(pair);
}

/* No query is begun that the server's window would cut in two. */
static void test_window(void **state)
{
	enum { WINDOW = 65535, LENGTH = 128 };
	struct pair *pair = pair_new(H2_PROPER, 1000);

	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(pair->queries[0].length, LENGTH);
	for (unsigned i = 0; i < WINDOW / LENGTH; i++)
		submit(pair, 0);
	for (unsigned round = 0, asked = WINDOW / LENGTH; round < 4; round++) {
		assert_int_equal(http2_submit(pair->http2, &pair->queries[0]), -EAGAIN);
		assert_int_equal(talk(pair, 4096), 0);
		assert_int_equal(pair->answered[0], asked);
		while (http2_submit(pair->http2, &pair->queries[0]) == 0)
			asked++;
		assert_true(asked > pair->answered[0] + 100);
	}
	pair_free(pair);
}

static void test_forgotten_before_it_is_sent(void **state)
{
	struct pair *pair = pair_new(H2_PROPER, 0);

	submit(pair, 0);
	submit(pair, 1);
	http2_forget(pair->http2, &pair->queries[0]);
	memset(&pair->queries[0], 0xff, sizeof(pair->queries[0])); /* it is somebody else's now */
	assert_int_equal(talk(pair, 4096), 0);
	assert_int_equal(pair->answered[0] + pair->refused[0] + pair->refused_again[0], 0);
	assert_int_equal(pair->answered[1], 1);
	pair_free(pair);
}

/* The server leaves: what it has not looked at may go again, and there is nothing else
   to ask here. */
static void test_goaway(void **state)
{
	struct pair *pair = pair_new(H2_LEAVES, 0);

	pair->times = 1;
	submit(pair, 0);
	assert_int_equal(talk(pair, 4096), 0);
	assert_true(pair->left && http2_left(pair->http2));
	assert_int_equal(pair->answered[0] + pair->refused[0], 0);
	assert_int_equal(pair->refused_again[0], 1);
	assert_int_equal(http2_submit(pair->http2, &pair->queries[1]), -EAGAIN);
	pair_free(pair);
}

/* What the server has begun with is answered, what came later or was not sent yet may go again. */
static void test_goaway_drains(void **state)
{
	struct pair *pair = pair_new(H2_DRAINS, 0);
	uint8_t octets[4096];
	size_t n;

	pair->times = 1;
	for (size_t i = 0; i < 3; i++)
		submit(pair, i);
	while ((n = http2_output(pair->http2, octets, sizeof(octets))) > 0)
		assert_true(h2_server_receive(pair->server, octets, n));
	submit(pair, 3);
	assert_false(http2_left(pair->http2));
	assert_int_equal(talk(pair, 4096), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pair->answered[i], i < 2);
		assert_int_equal(pair->refused_again[i], i >= 2);
		assert_int_equal(pair->refused[i], 0);
	}
	assert_true(pair->left && http2_left(pair->http2));
	pair_free(pair);
}

static void test_out_of_order(void **state)
{
	struct pair *pair = pair_new(H2_REVERSED, 0);

	for (size_t i = 0; i < H2_BATCH; i++)
		submit(pair, i);
	assert_int_equal(talk(pair, 4096), 0);
	for (size_t i = 0; i < H2_BATCH; i++)
		assert_int_equal(pair->answered[i], 1);
	pair_free(pair);
}

static void test_not_http2(void **state)
{
	static const uint8_t answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	struct pair *pair = pair_new(H2_PROPER, 0);
	uint8_t out[256];

	submit(pair, 0);
	assert_false(http2_ended(pair->http2));
	assert_int_equal(http2_receive(pair->http2, answer, sizeof(answer) - 1), 0);
	while (http2_output(pair->http2, out, sizeof(out)) > 0)
		;
	assert_true(http2_ended(pair->http2));
	pair_free(pair);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proper),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_longest_answer),
		cmocka_unit_test(test_early_hints),
		cmocka_unit_test(test_refused_streams_may_go_again),
		cmocka_unit_test(test_stream_limit),
		cmocka_unit_test(test_own_stream_limit),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_forgotten_before_it_is_sent),
		cmocka_unit_test(test_goaway),
		cmocka_unit_test(test_goaway_drains),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_not_http2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
