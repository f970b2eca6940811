/*
 * The forwarder against a real DoT and DoH server: who is authenticated and how, and which server
 * and address is asked.
 */
#include "tls_fixture.h"

static _Atomic time_t stopped; /* 0: time goes on */

/* In place of libc's. */
time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec = stopped ? stopped : now.tv_sec;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

static void use_pins(
	struct fixture *fixture, const struct dot_server *dot, struct pin *pins, size_t n)
{
	struct address address;
	struct server server = server_of(dot, TRANSPORT_DOT, &address);

	server.pins = pins;
	server.n_pins = n;
	use_servers(fixture, &server, 1);
}

static void test_proper(void **state)
{
	struct dot_server dot = {.manner = DOT_PROPER};
	struct fixture fixture = fixture_new();
	struct server_status status;

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(ask_rcode(&fixture, 100 + i, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.connections, 1);
	assert_int_equal(dot.queries, 20);
	assert_true(dot.sni_ok);
	assert_true(dot.alpn_ok);
	assert_false(dot.unpadded);
	status = forwarder_server_status(fixture.forwarder, 0);
	assert_int_equal(status.state, SERVER_CONNECTED);
	assert_string_equal(status.tls_version, "TLSv1.3");
	assert_string_equal(status.authenticated_by, "certificate");
	assert_true(status.handshake_usec > 0 && status.rtt_median_usec > 0);
	assert_int_equal(status.answers, 20);
	assert_null(status.last_error);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* No answer, no query to the server, and the sentence says why. */
static void refuse(const struct identity *identity, int tls_max, const char *const *words)
{
	struct dot_server dot = {.manner = DOT_PROPER, .tls_max = tls_max};
	struct fixture fixture = fixture_new();

	dot_server_start(&dot, identity);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	assert_int_equal(first_state(&fixture), SERVER_FAILED);
	for (; *words; words++)
		if (!strstr(last_error(&fixture), *words))
			fail_msg("\"%s\" does not say \"%s\"", last_error(&fixture), *words);
	assert_null(forwarder_server_status(fixture.forwarder, 0).authenticated_by);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
	assert_int_equal(dot.queries, 0);
}

#define REFUSE(identity, tls_max, ...)                                                             \
	refuse(identity, tls_max, (const char *const[]){__VA_ARGS__, NULL})

static void test_wrong_name(void **state)
{
	struct identity identity =
		identity_new(&authority, "DNS:www.example,DNS:other.example", ADN, -1, 1);

	REFUSE(&identity, 0, "not for " ADN, "www.example, other.example");
	identity_clear(&identity);
}

static void test_name_below(void **state)
{
	struct identity identity = identity_new(&authority, "DNS:a." ADN ",DNS:*." ADN, NULL, -1, 1);

	REFUSE(&identity, 0, "not for " ADN);
	identity_clear(&identity);
}

static void test_partial_wildcard(void **state)
{
	struct identity identity = identity_new(&authority, "DNS:d*.corp.example", NULL, -1, 1);

	REFUSE(&identity, 0, "not for " ADN);
	identity_clear(&identity);
}

/* I15: a common name does not count. */
static void test_common_name_only(void **state)
{
	struct identity identity = identity_new(&authority, NULL, ADN, -1, 1);

	REFUSE(&identity, 0, "not for " ADN, "common name does not count");
	identity_clear(&identity);
}

static void test_expired(void **state)
{
	struct identity identity = identity_new(&authority, "DNS:" ADN, NULL, -3, -2);

	REFUSE(&identity, 0, "expired on 20");
	identity_clear(&identity);
}

static void test_not_yet_valid(void **state)
{
	struct identity identity = identity_new(&authority, "DNS:" ADN, NULL, 2, 3);

	REFUSE(&identity, 0, "not valid before 20");
	identity_clear(&identity);
}

static void test_unknown_issuer(void **state)
{
	struct identity other = authority_new("Somebody Else");
	struct identity identity = identity_new(&other, "DNS:" ADN, NULL, -1, 1);

	REFUSE(&identity, 0, "Somebody Else", "not in the trust store");
	identity_clear(&identity);
	identity_clear(&other);
}

static void test_self_signed(void **state)
{
	struct identity other = authority_new(ADN);

	REFUSE(&other, 0, "signed by itself");
	identity_clear(&other);
}

static void test_old_tls(void **state)
{
	REFUSE(&proper, TLS1_1_VERSION, "TLS handshake failed: ");
}

/* What a certificate says is made harmless before it reaches a terminal. */
static void test_hostile_names(void **state)
{
	struct identity identity = identity_new(&authority, "DNS:a\x1b[31mb%sn.example", NULL, -1, 1);

	REFUSE(&identity, 0, "a?[31mb%sn.example");
	identity_clear(&identity);
}

/* A connection that the server closes is resumed, also by one that was killed. */
static void test_resumption(void **state)
{
	static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

	for (size_t i = 0; i < 4; i++) {
		struct dot_server dot = {.manner = DOT_CLOSES, .tls_max = versions[i % 2], .abrupt = i / 2};
		struct fixture fixture = fixture_new();

		dot_server_start(&dot, &proper);
		use(&fixture, &dot);
		assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
		dot.times = 1;
		assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_NOERROR);
		assert_int_equal(dot.handshakes, 2);
		assert_int_equal(dot.resumptions, 1);
		assert_string_equal(
			forwarder_server_status(fixture.forwarder, 0).authenticated_by, "certificate");
		fixture_clear(&fixture);
		dot_server_stop(&dot);
	}
}

/* What was authenticated too long ago is authenticated anew, however often it was resumed. */
static void test_resumption_ends(void **state)
{
	struct dot_server dot = {.manner = DOT_CLOSES};
	struct fixture fixture = fixture_new();

	stopped = time(NULL);
	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	stopped += LIMIT_RESUMPTION;
	dot.times = 1;
	assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.resumptions, 1);
	stopped++;
	dot.times = 1;
	assert_int_equal(ask_rcode(&fixture, 3, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.handshakes, 3);
	assert_int_equal(dot.resumptions, 1);
	stopped = 0;
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* A server that takes the connection and says nothing more is left. */
static void test_handshake_takes_too_long(void **state)
{
	struct dot_server dot = {.manner = DOT_NO_HANDSHAKE};
	struct fixture fixture = fixture_new();
	uint64_t began = clock_usec();

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	send_query(&fixture, 1, "www.corp.example");
	while (first_state(&fixture) != SERVER_FAILED && clock_usec() < began + 2 * LIMIT_HANDSHAKE_USEC)
		assert_true(sd_event_run(fixture.event, 10000) >= 0);
	assert_true(clock_usec() >= began + LIMIT_HANDSHAKE_USEC);
	assert_non_null(strstr(last_error(&fixture), "not finished within 3 seconds"));
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* Nothing is resumed for a server that is configured differently. */
static void test_no_resumption_across_set_upstream(void **state)
{
	struct dot_server dot = {.manner = DOT_PROPER};
	struct upstream none = {0};
	struct fixture fixture = fixture_new();

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(forwarder_set_upstream(fixture.forwarder, &none), 0);
	assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_SERVFAIL);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 3, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.handshakes, 2);
	assert_int_equal(dot.resumptions, 0);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* ---- digests (I12, I13) ---- */

/* Self-made certificates that PKIX would refuse: the digest is all that counts. */
static void test_digest(void **state)
{
	static const uint16_t algorithms[] = {2, 3, 4};
	struct identity other = authority_new("Nobody");
	struct identity identity = identity_new(&other, NULL, "whatever", -3, -2);

	for (size_t i = 0; i < 3; i++) {
		struct dot_server dot = {.manner = DOT_CLOSES};
		struct fixture fixture = fixture_new();
		struct pin pins[] = {
			identity_pin(&proper, algorithms[i]), identity_pin(&identity, algorithms[i])};

		dot_server_start(&dot, &identity);
		use_pins(&fixture, &dot, pins, 2); /* the second matches: rollover */
		assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
		assert_string_equal(
			forwarder_server_status(fixture.forwarder, 0).authenticated_by, "digest");
		dot.times = 1;
		assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_NOERROR);
		assert_int_equal(dot.resumptions, 1);
		fixture_clear(&fixture);
		dot_server_stop(&dot);
	}
	identity_clear(&identity);
	identity_clear(&other);
}

/* A certificate that PKIX would take does not help against a digest, and the error is final. */
static void refuse_digest(struct pin pin, const char *word)
{
	struct dot_server dot = {.manner = DOT_PROPER};
	struct fixture fixture = fixture_new();

	dot_server_start(&dot, &proper);
	use_pins(&fixture, &dot, &pin, 1);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	assert_int_equal(first_state(&fixture), SERVER_REFUSED);
	if (!strstr(last_error(&fixture), word))
		fail_msg("\"%s\" does not say \"%s\"", last_error(&fixture), word);
	for (int i = 0; i < 100; i++)
		sd_event_run(fixture.event, 10000);
	assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_SERVFAIL);
	assert_int_equal(dot.connections, 1);
	assert_int_equal(dot.queries, 0);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

static void test_digest_mismatch(void **state)
{
	struct pin seen = identity_pin(&proper, 2), other = seen, unknown = seen, cut = seen;
	char hex[2 * 32 + 1];

	for (size_t i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", seen.digest[i]);
	other.digest[31] ^= 1;
	refuse_digest(other, hex);
	cut.length = 16;
	refuse_digest(cut, hex);
	unknown.algorithm = 5;
	refuse_digest(unknown, "no digest");
}

/* ---- DoH ---- */

static void test_doh(void **state)
{
	struct dot_server dot = {.h2 = H2_PROPER};
	struct fixture fixture = fixture_new();

	doh(&fixture, &dot);
	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(ask_rcode(&fixture, 100 + i, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(dot.connections, 1);
	assert_int_equal(dot.queries, 20);
	assert_true(dot.sni_ok && dot.alpn_ok);
	assert_string_equal(
		forwarder_server_status(fixture.forwarder, 0).authenticated_by, "certificate");
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* ---- several addresses and servers ---- */

/* The first address takes the connection and stalls: the second is tried meanwhile. */
static void test_happy_eyeballs(void **state)
{
	struct dot_server stalled = {.manner = DOT_NO_HANDSHAKE};
	struct dot_server dot = {.manner = DOT_PROPER, .address = INADDR_LOOPBACK + 1};
	struct fixture fixture = fixture_new();
	struct address addresses[2];
	struct server server;
	uint64_t took;

	dot_server_start(&stalled, &proper);
	dot.port = stalled.port;
	dot_server_start(&dot, &proper);
	server = server_of(&stalled, TRANSPORT_DOT, &addresses[0]);
	(void)server_of(&dot, TRANSPORT_DOT, &addresses[1]);
	server.addresses = addresses;
	server.n_addresses = 2;
	use_servers(&fixture, &server, 1);
	took = clock_usec();
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	took = clock_usec() - took;
	assert_true(took >= LIMIT_EYEBALLS_USEC && took <= LIMIT_ATTEMPT_USEC);
	assert_int_equal(dot.queries, 1);
	fixture_clear(&fixture);
	dot_server_stop(&stalled);
	dot_server_stop(&dot);
	/* Given up at once, so that the kernel sends nothing of it again, wherever routes lead by then. */
	assert_int_equal(stalled.resets, 1);
}

/* An address that refuses is left at once. */
static void test_next_address_at_once(void **state)
{
	struct dot_server dot = {.manner = DOT_PROPER, .address = INADDR_LOOPBACK + 1};
	struct fixture fixture = fixture_new();
	struct address addresses[2] = {loopback()};
	struct server server;
	uint64_t took;

	dot_server_start(&dot, &proper);
	server = server_of(&dot, TRANSPORT_DOT, &addresses[1]);
	server.addresses = addresses;
	server.n_addresses = 2;
	use_servers(&fixture, &server, 1);
	took = clock_usec();
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	assert_true(clock_usec() - took < LIMIT_EYEBALLS_USEC);
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

/* From the first priority to the second and back. */
static void test_failover(void **state)
{
	struct dot_server first = {.manner = DOT_PROPER}, second = {.h2 = H2_PROPER};
	struct fixture fixture = fixture_new();
	struct address addresses[2];
	struct server servers[2];

	dot_server_start(&first, &proper);
	dot_server_start(&second, &proper);
	servers[0] = server_of(&first, TRANSPORT_DOT, &addresses[0]);
	servers[1] = server_of(&second, TRANSPORT_DOH, &addresses[1]);
	servers[1].priority = 2;
	dot_server_stop(&first);
	use_servers(&fixture, servers, 2);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(second.queries, 1);
	assert_true(forwarder_server_status(fixture.forwarder, 1).preferred);
	dot_server_start(&first, &proper);
	for (int i = 0; i < 200 && !forwarder_server_status(fixture.forwarder, 0).preferred; i++)
		sd_event_run(fixture.event, 10000);
	assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_NOERROR);
	assert_int_equal(first.queries, 1);
	assert_int_equal(second.queries, 1);
	fixture_clear(&fixture);
	dot_server_stop(&first);
	dot_server_stop(&second);
}

/* Once it is known to be down the answer is there at once. */
static void test_known_to_be_down(void **state)
{
	struct dot_server dot = {.manner = DOT_PROPER};
	struct fixture fixture = fixture_new();
	uint64_t began;

	dot_server_start(&dot, &proper);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_NOERROR);
	forwarder_set_upstream(fixture.forwarder, &(struct upstream){0});
	dot_server_stop(&dot);
	use(&fixture, &dot);
	assert_int_equal(ask_rcode(&fixture, 2, "www.corp.example"), DNS_SERVFAIL);
	began = clock_usec();
	assert_int_equal(ask_rcode(&fixture, 3, "www.corp.example"), DNS_SERVFAIL);
	assert_true(clock_usec() - began < 50000);
	assert_non_null(strstr(last_error(&fixture), "refused"));
	assert_null(forwarder_server_status(fixture.forwarder, 0).authenticated_by);
	assert_null(forwarder_server_status(fixture.forwarder, 0).tls_version);
	/* It is back: found by those who ask. */
	dot_server_start(&dot, &proper);
	for (uint16_t i = 4; ask_rcode(&fixture, i, "www.corp.example") != DNS_NOERROR; i++) {
		assert_true(i < 200);
		sd_event_run(fixture.event, 10000);
	}
	fixture_clear(&fixture);
	dot_server_stop(&dot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proper),
		cmocka_unit_test(test_wrong_name),
		cmocka_unit_test(test_name_below),
		cmocka_unit_test(test_partial_wildcard),
		cmocka_unit_test(test_common_name_only),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_not_yet_valid),
		cmocka_unit_test(test_unknown_issuer),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_old_tls),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_resumption_ends),
		cmocka_unit_test(test_handshake_takes_too_long),
		cmocka_unit_test(test_no_resumption_across_set_upstream),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_mismatch),
		cmocka_unit_test(test_doh),
		cmocka_unit_test(test_happy_eyeballs),
		cmocka_unit_test(test_next_address_at_once),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_known_to_be_down),
	};

	return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
