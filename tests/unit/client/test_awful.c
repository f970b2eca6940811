/*
 * What becomes of queries when a server misbehaves: each is answered once, with what belongs to it
 * or with SERVFAIL in time.
 */
#include "tls_fixture.h"

/* ---- DoT ---- */

static void test_out_of_order(void **state)
{
	struct dot_server dot = {.manner = DOT_REVERSED, .batch = 50};
	struct fixture fixture = fixture_new();
	bool seen[50] = {0};

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	for (uint16_t i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.corp.example", i);
		send_query(&fixture, 1000 + i, name);
	}
	for (int i = 0; i < 50; i++) {
		struct message answer, expected;
		struct dns_message parsed;
		char name[32];

		assert_true(receive(&fixture, fixture.fd, 6000, &answer));
		parsed = parse(&answer);
		assert_true(parsed.id >= 1000 && parsed.id <= 1049);
		assert_false(seen[parsed.id - 1000]);
		seen[parsed.id - 1000] = true;
		snprintf(name, sizeof(name), "n%u.corp.example", parsed.id - 1000);
		expected = query_for(parsed.id, name);
		assert_true(
			dns_same_question(answer.data + 12, expected.data + 12, parsed.question_length));
	}
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void answered_once(enum transport transport, enum dot_manner manner)
{
	struct dot_server dot = {.manner = manner};
	struct fixture fixture = fixture_new();
	struct address address;
	struct server server;
	struct message more;

	dot_server_start(&dot, &proper);
	server = server_of(&dot, transport, &address);
	use_servers(&fixture, &server, 1);
	for (uint16_t i = 0; i < 5; i++)
		assert_int_equal(ask_rcode(&fixture, 10 + i, "www.corp.example"), DNS_NOERROR);
	assert_false(receive(&fixture, fixture.fd, 100, &more));
	assert_int_equal(dot.connections, 1);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void test_forgeries(void **state)
{
	answered_once(TRANSPORT_DOT, DOT_FORGES);
}

static void test_crumbs(void **state)
{
	answered_once(TRANSPORT_DOT, DOT_CRUMBS);
	answered_once(TRANSPORT_DOH, DOT_CRUMBS);
}

/* 65,535 octets: cut short over UDP (D5). */
static void test_huge_answer(void **state)
{
	struct dot_server dot = {.manner = DOT_HUGE};
	struct fixture fixture = fixture_new();
	struct message answer;

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	for (uint16_t i = 0; i < 3; i++) {
		send_query(&fixture, i, "www.corp.example");
		assert_true(receive(&fixture, fixture.fd, 6000, &answer));
		assert_true(answer.length <= 1232);
		assert_true(parse(&answer).truncated);
	}
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void servfail(
	enum transport transport, enum dot_manner manner, unsigned max_ms, unsigned connections)
{
	struct dot_server dot = {.manner = manner};
	struct fixture fixture = fixture_new();
	struct address address;
	struct server server;
	uint64_t began;

	dot_server_start(&dot, &proper);
	server = server_of(&dot, transport, &address);
	use_servers(&fixture, &server, 1);
	began = clock_usec();
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	assert_true(clock_usec() - began < (uint64_t)max_ms * 1000);
	/* One more where it has been tried again in the background already. */
	assert_true(dot.connections >= connections && dot.connections <= connections + 1);
	assert_string_not_equal(last_error(&fixture), "(none)");
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void test_hangs_up(void **state)
{
	servfail(TRANSPORT_DOT, DOT_HANGS_UP, 1000, 2);
	servfail(TRANSPORT_DOH, DOT_HANGS_UP, 1000, 2);
}

static void test_silent(void **state)
{
	servfail(TRANSPORT_DOT, DOT_SILENT, 5000, 2);
}

static void test_stalled_handshake(void **state)
{
	servfail(TRANSPORT_DOT, DOT_NO_HANDSHAKE, 4300, 1);
	servfail(TRANSPORT_DOT, DOT_STALLS, 4300, 1);
}

/* Too late for the server's turn, not for the asker. */
static void test_late(void **state)
{
	struct dot_server dot = {.manner = DOT_LATE};
	struct fixture fixture = fixture_new();
	struct message more;

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	assert_false(receive(&fixture, fixture.fd, 500, &more));
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* Another server has answered when the late answer comes: nobody gets it. */
static void test_late_and_another(void **state)
{
	struct dot_server late = {.manner = DOT_LATE}, dot = {.manner = DOT_PROPER};
	struct fixture fixture = fixture_new();
	struct address addresses[2];
	struct server servers[2];
	struct message more;

	dot_server_start(&late, &proper);
	dot_server_start(&dot, &proper);
	servers[0] = server_of(&late, TRANSPORT_DOT, &addresses[0]);
	servers[1] = server_of(&dot, TRANSPORT_DOT, &addresses[1]);
	servers[1].priority = 2;
	use_servers(&fixture, servers, 2);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.queries, 1);
	assert_false(receive(&fixture, fixture.fd, 1000, &more));
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	fixture_clear(&fixture);
	dot_server_stop(&late);
	dot_server_stop(&dot);
}

/* ---- DoH ---- */

static void doh_servfail(enum h2_manner manner)
{
	struct dot_server dot = {.h2 = manner};
	struct fixture fixture = fixture_new();

	doh(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void test_doh_refusals(void **state)
{
	doh_servfail(H2_STATUS);
	doh_servfail(H2_TYPE);
	doh_servfail(H2_TOO_LONG);
	doh_servfail(H2_RESETS);
	doh_servfail(H2_FORGES);
	doh_servfail(H2_SILENT);
}

/* No query is lost to GOAWAY or to a stream that was refused. */
static void test_doh_second_try(void **state)
{
	static const enum h2_manner manners[] = {H2_LEAVES, H2_REFUSES};

	for (size_t i = 0; i < 2; i++) {
		struct dot_server dot = {.h2 = manners[i], .times = 1};
		struct fixture fixture = fixture_new();

		doh(&fixture, &dot);
		assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
		assert_int_equal(dot.connections, manners[i] == H2_LEAVES ? 2 : 1);
		fixture_clear(&fixture);
		dot_server_stop(&dot);
	}
}

/* Of a batch that GOAWAY cuts in two each query is answered: on the old connection or a new one. */
static void doh_batch(enum h2_manner manner, unsigned connections)
{
	struct dot_server dot = {.h2 = manner, .times = 1};
	struct fixture fixture = fixture_new();
	bool seen[H2_BATCH] = {0};
	struct message answer;

	doh(&fixture, &dot);
	for (uint16_t i = 0; i < H2_BATCH; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.corp.example", i);
		send_query(&fixture, i, name);
	}
	for (uint16_t i = 0; i < H2_BATCH; i++) {
		struct dns_message parsed;

		assert_true(receive(&fixture, fixture.fd, 1000, &answer));
		parsed = parse(&answer);
		assert_int_equal(parsed.rcode, DNS_NOERROR);
		assert_true(parsed.id < H2_BATCH && !seen[parsed.id]);
		assert_int_equal(answer.data[14], '0' + parsed.id);
		seen[parsed.id] = true;
	}
	assert_false(receive(&fixture, fixture.fd, 100, &answer));
	assert_int_equal(dot.connections, connections);
	assert_int_equal(dot.queries, H2_BATCH + (connections - 1));
	assert_int_equal(forwarder_server_status(fixture.forwarder, 0).failures, 0);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void test_doh_batches(void **state)
{
	doh_batch(H2_DRAINS, 2);
	doh_batch(H2_REVERSED, 1);
}

static void test_doh_huge_answer(void **state)
{
	struct dot_server dot = {.h2 = H2_HUGE};
	struct fixture fixture = fixture_new();
	struct message answer;

	doh(&fixture, &dot);
	send_query(&fixture, 1, "www.corp.example");
	assert_true(receive(&fixture, fixture.fd, 6000, &answer));
	assert_true(parse(&answer).truncated);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doh_refusals),
		cmocka_unit_test(test_doh_second_try),
		cmocka_unit_test(test_doh_huge_answer),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_forgeries),
		cmocka_unit_test(test_crumbs),
		cmocka_unit_test(test_huge_answer),
		cmocka_unit_test(test_hangs_up),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_stalled_handshake),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_and_another),
		cmocka_unit_test(test_doh_batches),
	};

	return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
