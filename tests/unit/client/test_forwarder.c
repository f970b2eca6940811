/*
 * The forwarder from both ends: askers over UDP and TCP, a plain server of the test's own behind
 * it.
 */
#include "forwarder_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>

static unsigned trims;

/* In place of libc's. */
int malloc_trim(size_t pad)
{
	trims++;
	return 0;
}

/* ---- a plain server that the test answers for by hand ---- */

struct plain {
	int udp, tcp;
	uint16_t port;
	struct sockaddr_in asker; /* of the last query */
};

static int bind_free(struct plain *plain)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(name);

	plain->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	plain->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(plain->udp, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(plain->udp, (struct sockaddr *)&name, &length), 0);
	plain->port = ntohs(name.sin_port);
	return bind(plain->tcp, (struct sockaddr *)&name, sizeof(name));
}

static void plain_clear(struct plain *plain)
{
	close(plain->udp);
	close(plain->tcp);
}

static struct plain plain_new(void)
{
	struct plain plain = {0};
	int tries = 0;

	/* A port that is free for UDP need not be for TCP. */
	while (bind_free(&plain) < 0) {
		plain_clear(&plain);
		assert_true(++tries < 100);
	}
	assert_int_equal(listen(plain.tcp, 4), 0);
	return plain;
}

static void use_from(struct fixture *fixture, uint16_t port, const char *virtual_ip)
{
	struct address address = loopback(), source = {.family = AF_INET};
	struct server server = {
		.transport = TRANSPORT_PLAIN,
		.port = port,
		.addresses = &address,
		.n_addresses = 1,
	};
	struct upstream upstream = {
		.servers = &server,
		.n_servers = 1,
		.virtual_ips = &source,
		.n_virtual_ips = 1,
	};

	assert_int_equal(inet_pton(AF_INET, virtual_ip, &source.in), 1);
	assert_int_equal(forwarder_set_upstream(fixture->forwarder, &upstream), 0);
}

static void use(struct fixture *fixture, const struct plain *plain)
{
	use_from(fixture, plain->port, "127.0.0.9");
}

/* The next query that reaches the server. */
static struct message serve(struct fixture *fixture, struct plain *plain)
{
	uint64_t end = clock_usec() + 3000000;

	while (clock_usec() < end) {
		struct message query;
		socklen_t length = sizeof(plain->asker);
		ssize_t n;

		assert_true(sd_event_run(fixture->event, 5000) >= 0);
		n = recvfrom(plain->udp, query.data, sizeof(query.data), MSG_DONTWAIT,
			(struct sockaddr *)&plain->asker, &length);
		if (n > 0) {
			query.length = n;
			return query;
		}
	}
	fail_msg("no query has reached the server");
	return (struct message){0};
}

static void reply(struct plain *plain, const struct message *message)
{
	assert_int_equal(sendto(plain->udp, message->data, message->length, 0,
						 (struct sockaddr *)&plain->asker, sizeof(plain->asker)),
		message->length);
}

/* An answer to the query with a TXT record of so many octets. */
static struct message answer_to(const struct message *query, uint16_t octets)
{
	struct dns_message parsed = parse(query);
	struct message answer;

	put_header(&answer, parsed.id, 0x8180, 1, 0);
	memcpy(answer.data + answer.length, query->data + 12, parsed.question_length);
	answer.length += parsed.question_length;
	put_record(&answer, octets);
	return answer;
}

static void send_raw(struct fixture *fixture, const struct message *message)
{
	assert_int_equal(send(fixture->fd, message->data, message->length, 0), message->length);
}

/* ---- askers over TCP ---- */

static int connect_tcp(struct fixture *fixture)
{
	struct sockaddr_in name = forwarder_name(fixture);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void send_tcp(int fd, const struct message *message)
{
	uint8_t frame[2 + sizeof(message->data)];

	dns_put16(frame, message->length);
	memcpy(frame + 2, message->data, message->length);
	assert_int_equal(send(fd, frame, 2 + message->length, MSG_NOSIGNAL), 2 + message->length);
}

static bool receive_octets(struct fixture *fixture, int fd, uint8_t *data, size_t length)
{
	uint64_t end = clock_usec() + 3000000;
	size_t got = 0;

	while (got < length && clock_usec() < end) {
		ssize_t n = recv(fd, data + got, length - got, MSG_DONTWAIT);

		if (n == 0)
			return false;
		if (n > 0)
			got += n;
		else
			assert_true(sd_event_run(fixture->event, 5000) >= 0);
	}
	return got == length;
}

static bool receive_tcp(struct fixture *fixture, int fd, struct message *ret)
{
	uint8_t length[2];

	if (!receive_octets(fixture, fd, length, 2))
		return false;
	ret->length = dns_get16(length);
	return receive_octets(fixture, fd, ret->data, ret->length);
}

/* ---- the tests ---- */

/* Blocked: SERVFAIL at once, with an extended error for who speaks EDNS. */
static void test_blocked(void **state)
{
	struct fixture fixture = fixture_new();
	struct message answer;
	struct dns_message parsed;

	send_query(&fixture, 77, "www.corp.example");
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	parsed = parse(&answer);
	assert_int_equal(parsed.rcode, DNS_SERVFAIL);
	assert_int_equal(parsed.id, 77);
	assert_int_equal(dns_get16(answer.data + parsed.opt_offset + DNS_OPT_SIZE), 15);
	assert_int_equal(dns_get16(answer.data + parsed.opt_offset + DNS_OPT_SIZE + 4),
		DNS_EDE_NO_REACHABLE_AUTHORITY);
	assert_int_equal(forwarder_counters(fixture.forwarder).servfails, 1);
	fixture_clear(&fixture);
}

static void set_hosts(struct fixture *fixture, const struct server *server)
{
	char *names[] = {"other.example", "vpn.corp.example", NULL};
	struct address loopbacks[] = {loopback()};
	struct upstream upstream = {
		.servers = server,
		.n_servers = server ? 1 : 0,
		.virtual_ips = loopbacks,
		.n_virtual_ips = 1,
		.hosts = {names, {.family = AF_INET, .bytes = {192, 0, 2, 7}}},
	};

	assert_int_equal(forwarder_set_upstream(fixture->forwarder, &upstream), 0);
}

/* What is known is answered while there are no servers, all else fails, and servers know better. */
static void test_blocked_but_for_known_hosts(void **state)
{
	struct address nowhere = loopback();
	struct server server = {
		.addresses = &nowhere, .n_addresses = 1, .port = 1, .transport = TRANSPORT_PLAIN};
	struct fixture fixture = fixture_new();
	struct message answer;
	struct dns_message parsed;

	set_hosts(&fixture, NULL);
	send_query(&fixture, 78, "VPN.corp.example");
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	parsed = parse(&answer);
	assert_int_equal(parsed.id, 78);
	assert_int_equal(parsed.rcode, DNS_NOERROR);
	assert_int_equal(parsed.counts[1], 1);
	assert_memory_equal(answer.data + parsed.opt_offset - 4, "\xc0\0\2\7", 4);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	assert_int_equal(ask_rcode(&fixture, 79, "www.corp.example"), DNS_SERVFAIL);
	set_hosts(&fixture, &server);
	assert_int_equal(ask_rcode(&fixture, 80, "vpn.corp.example"), DNS_SERVFAIL);
	fixture_clear(&fixture);
}

/* From the virtual IP, with an id of its own; the asker gets its id back. */
static void test_plain(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message query, answer;
	unsigned same_id = 0;

	use(&fixture, &plain);
	for (uint16_t i = 0; i < 8; i++) {
		send_query(&fixture, 500 + i, "www.corp.example");
		query = serve(&fixture, &plain);
		assert_int_equal(ntohl(plain.asker.sin_addr.s_addr), 0x7f000009);
		same_id += parse(&query).id == 500 + i;
		answer = answer_to(&query, 10);
		reply(&plain, &answer);
		assert_true(receive(&fixture, fixture.fd, 1000, &answer));
		assert_int_equal(parse(&answer).id, 500 + i);
		assert_int_equal(parse(&answer).counts[1], 1);
	}
	assert_true(same_id < 2);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

static void test_plain_ports_change(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	uint16_t first = 0;
	struct message query, answer;

	use(&fixture, &plain);
	for (uint16_t i = 0; i <= LIMIT_PLAIN_PER_SOCKET; i++) {
		send_query(&fixture, i, "www.corp.example");
		query = serve(&fixture, &plain);
		if (i == 0)
			first = plain.asker.sin_port;
		answer = answer_to(&query, 10);
		reply(&plain, &answer);
		assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	}
	assert_int_not_equal(plain.asker.sin_port, first);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* Wrong id, wrong question, wrong sender: none of it reaches the asker. */
static void test_plain_forgeries(void **state)
{
	struct plain plain = plain_new(), other = plain_new();
	struct fixture fixture = fixture_new();
	struct message query, forged, answer;

	use(&fixture, &plain);
	send_query(&fixture, 1, "www.corp.example");
	query = serve(&fixture, &plain);
	forged = answer_to(&query, 10);
	forged.data[0] ^= 1;
	reply(&plain, &forged);
	forged = answer_to(&query, 10);
	forged.data[13] ^= 1;
	reply(&plain, &forged);
	forged = answer_to(&query, 10);
	other.asker = plain.asker;
	reply(&other, &forged);
	assert_false(receive(&fixture, fixture.fd, 100, &answer));
	answer = answer_to(&query, 99);
	reply(&plain, &answer);
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	assert_non_null(memmem(answer.data, answer.length, "\0\x63xxx", 5));
	fixture_clear(&fixture);
	plain_clear(&plain);
	plain_clear(&other);
}

/* An answer cut short is asked for again over TCP, from the virtual IP too. */
static void test_plain_over_tcp(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message query, answer;
	struct sockaddr_in name;
	socklen_t length = sizeof(name);
	int asker, connection = -1;

	use(&fixture, &plain);
	asker = connect_tcp(&fixture);
	query = query_for(3, "www.corp.example");
	send_tcp(asker, &query);
	query = serve(&fixture, &plain);
	answer = query;
	answer.data[2] |= 0x82; /* QR and TC */
	reply(&plain, &answer);
	while (connection < 0) {
		sd_event_run(fixture.event, 5000);
		connection = accept(plain.tcp, (struct sockaddr *)&name, &length);
	}
	assert_int_equal(ntohl(name.sin_addr.s_addr), 0x7f000009);
	assert_true(receive_tcp(&fixture, connection, &query));
	answer = answer_to(&query, 60000);
	send_tcp(connection, &answer);
	assert_true(receive_tcp(&fixture, asker, &answer));
	assert_int_equal(parse(&answer).id, 3);
	assert_false(parse(&answer).truncated);
	assert_true(answer.length > 60000);

	/* The server hangs up in the middle of another one. */
	query = query_for(4, "www.corp.example");
	send_tcp(asker, &query);
	query = serve(&fixture, &plain);
	answer = query;
	answer.data[2] |= 0x82;
	reply(&plain, &answer);
	assert_true(receive_tcp(&fixture, connection, &query));
	close(connection);
	assert_true(receive_tcp(&fixture, asker, &answer));
	assert_int_equal(parse(&answer).rcode, DNS_SERVFAIL);
	close(asker);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* D7: without the virtual IP nothing goes out, and the status says why. */
static void test_virtual_ip_gone(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	uint8_t octet;

	use_from(&fixture, plain.port, "192.0.2.77");
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	assert_int_equal(recv(plain.udp, &octet, 1, MSG_DONTWAIT), -1);
	assert_int_equal(first_state(&fixture), SERVER_FAILED);
	assert_non_null(strstr(last_error(&fixture), "no virtual IP"));
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* Outside the tunnel by the user's wish: not from the virtual IP. */
static void test_outside(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct address address = loopback(), source = loopback();
	struct server server = {
		.transport = TRANSPORT_PLAIN,
		.port = plain.port,
		.addresses = &address,
		.n_addresses = 1,
	};
	struct upstream upstream = {
		.servers = &server, .n_servers = 1, .virtual_ips = &source, .n_virtual_ips = 1};

	source.in.s_addr = htonl(INADDR_LOOPBACK + 8);
	address.outside = true;
	assert_int_equal(forwarder_set_upstream(fixture.forwarder, &upstream), 0);
	send_query(&fixture, 1, "www.corp.example");
	(void)serve(&fixture, &plain);
	assert_int_equal(ntohl(plain.asker.sin_addr.s_addr), INADDR_LOOPBACK);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* What is in flight when the servers go is answered, and late answers are not. */
static void test_set_upstream_with_queries_in_flight(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message query, answer;

	use(&fixture, &plain);
	send_query(&fixture, 9, "www.corp.example");
	query = serve(&fixture, &plain);
	assert_int_equal(forwarder_set_upstream(fixture.forwarder, &(struct upstream){0}), 0);
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	assert_int_equal(parse(&answer).rcode, DNS_SERVFAIL);
	answer = answer_to(&query, 10);
	reply(&plain, &answer);
	assert_false(receive(&fixture, fixture.fd, 100, &answer));
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

static void test_bad_upstream_changes_nothing(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct address address = loopback();
	struct server server = {
		.transport = TRANSPORT_DOT,
		.adn = (char *)"dns.corp.example",
		.addresses = &address,
		.n_addresses = 1,
	};
	struct upstream upstream = {
		.servers = &server,
		.n_servers = 1,
		.ca_certificates = "/nonexistent.pem",
	};
	struct message query;

	use(&fixture, &plain);
	assert_int_equal(forwarder_set_upstream(fixture.forwarder, &upstream), -ENOENT);
	send_query(&fixture, 9, "www.corp.example");
	query = serve(&fixture, &plain);
	assert_int_equal(query.length, query_for(9, "www.corp.example").length);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* When the last change is some time ago, memory that nobody needs goes back to the system. */
static void test_trim(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	uint64_t began = clock_usec();

	trims = 0;
	use(&fixture, &plain);
	while (trims == 0 && clock_usec() < began + 5 * LIMIT_TRIM_USEC)
		assert_true(sd_event_run(fixture.event, 100000) >= 0);
	assert_int_equal(trims, 1);
	assert_true(clock_usec() >= began + LIMIT_TRIM_USEC);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* At most LIMIT_QUERIES in flight; the next is answered at once. */
static void test_too_many_queries(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message answer;
	struct forwarder_counters counters;

	use(&fixture, &plain);
	for (unsigned i = 0; i < LIMIT_QUERIES; i++) {
		send_query(&fixture, i, "www.corp.example");
		while (forwarder_counters(fixture.forwarder).in_flight <= i)
			assert_true(sd_event_run(fixture.event, 1000000) > 0);
	}
	send_query(&fixture, 60000, "www.corp.example");
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	assert_int_equal(parse(&answer).id, 60000);
	assert_int_equal(parse(&answer).rcode, DNS_SERVFAIL);
	counters = forwarder_counters(fixture.forwarder);
	assert_int_equal(counters.in_flight, LIMIT_QUERIES);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* Whether something more has reached the server, after a while. */
static bool serves_more(struct fixture *fixture, const struct plain *plain)
{
	uint64_t end = clock_usec() + 100000;
	char octet;

	while (clock_usec() < end)
		assert_true(sd_event_run(fixture->event, 5000) >= 0);
	return recv(plain->udp, &octet, 1, MSG_DONTWAIT) >= 0;
}

static void expect_answer(
	struct fixture *fixture, int fd, uint16_t id, enum dns_rcode rcode, bool truncated)
{
	struct message answer;
	struct dns_message parsed;

	assert_true(receive(fixture, fd, 1000, &answer));
	parsed = parse(&answer);
	assert_int_equal(parsed.id, id);
	assert_int_equal(parsed.rcode, rcode);
	assert_int_equal((answer.data[2] & 2) != 0, truncated);
}

/* What is asked while the same is under way gets that answer, each asker in its own size. */
static void test_the_same_goes_out_once(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message query, answer, small, same = query_for(3, "www.corp.example");
	int tcp = connect_tcp(&fixture);

	use(&fixture, &plain);
	send_query(&fixture, 1, "www.corp.example");
	query = serve(&fixture, &plain);
	put_header(&small, 2, 0x0100, 0, 1);
	put_question(&small, "www.corp.example", 1);
	put_opt(&small, 512, false, NULL, 0);
	send_raw(&fixture, &small);
	send_tcp(tcp, &same);
	assert_false(serves_more(&fixture, &plain));
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 3);
	answer = answer_to(&query, 600);
	reply(&plain, &answer);
	assert_true(receive_tcp(&fixture, tcp, &answer));
	assert_int_equal(parse(&answer).id, 3);
	assert_true(answer.length > 600);
	expect_answer(&fixture, fixture.fd, 2, DNS_NOERROR, true);
	expect_answer(&fixture, fixture.fd, 1, DNS_NOERROR, false);
	assert_int_equal(forwarder_counters(fixture.forwarder).answers, 3);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	/* That is over: the next one is asked for anew. */
	send_query(&fixture, 4, "www.corp.example");
	(void)serve(&fixture, &plain);
	close(tcp);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* What fails, fails for all who wait for it. */
static void test_the_same_fails_once(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();

	use(&fixture, &plain);
	send_query(&fixture, 1, "www.corp.example");
	send_query(&fixture, 2, "www.corp.example");
	(void)serve(&fixture, &plain);
	assert_false(serves_more(&fixture, &plain));
	assert_int_equal(forwarder_set_upstream(fixture.forwarder, &(struct upstream){0}), 0);
	expect_answer(&fixture, fixture.fd, 2, DNS_SERVFAIL, false);
	expect_answer(&fixture, fixture.fd, 1, DNS_SERVFAIL, false);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* Neither another name, nor another spelling, nor other flags are the same. */
static void test_what_is_not_the_same(void **state)
{
	static const char *const names[] = {"www.corp.example", "wwv.corp.example", "Www.corp.example"};
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message checking_disabled = query_for(4, names[0]);

	use(&fixture, &plain);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		send_query(&fixture, i + 1, names[i]);
		(void)serve(&fixture, &plain);
	}
	checking_disabled.data[3] |= 0x10;
	send_raw(&fixture, &checking_disabled);
	(void)serve(&fixture, &plain);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* A query that may be lost answers for nobody. */
static void test_an_old_one_is_asked_again(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message first, second, answer;
	uint64_t began;

	use(&fixture, &plain);
	send_query(&fixture, 1, "www.corp.example");
	first = serve(&fixture, &plain);
	began = clock_usec();
	while (clock_usec() < began + LIMIT_MERGE_USEC)
		assert_true(sd_event_run(fixture.event, 5000) >= 0);
	send_query(&fixture, 2, "www.corp.example");
	second = serve(&fixture, &plain);
	answer = answer_to(&second, 10);
	reply(&plain, &answer);
	expect_answer(&fixture, fixture.fd, 2, DNS_NOERROR, false);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 1);
	assert_int_not_equal(parse(&first).id, parse(&second).id);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

static void test_bad_packets(void **state)
{
	struct fixture fixture = fixture_new();
	struct message query = query_for(1, "a.example"), answer, bad;
	static const uint16_t flags[] = {0x2900, 0x0900}; /* update, status */

	for (size_t length = 1; length < query.length; length++) {
		bad = query;
		bad.length = length;
		send_raw(&fixture, &bad);
	}
	bad = query;
	bad.data[2] |= 0x80; /* an answer */
	send_raw(&fixture, &bad);
	put_header(&bad, 1, 0x0100, 0, 0);
	bad.data[5] = 0; /* no question */
	send_raw(&fixture, &bad);
	bad.length = 2100; /* longer than what is read */
	send_raw(&fixture, &bad);
	assert_false(receive(&fixture, fixture.fd, 100, &answer));
	assert_int_equal(forwarder_counters(fixture.forwarder).dropped, query.length - 1 + 3);
	assert_int_equal(forwarder_counters(fixture.forwarder).queries, 0);

	for (size_t i = 0; i < 2; i++) {
		bad = query;
		dns_put16(bad.data + 2, flags[i]);
		send_raw(&fixture, &bad);
		assert_true(receive(&fixture, fixture.fd, 1000, &answer));
		assert_int_equal(parse(&answer).rcode, DNS_NOTIMP);
	}
	put_header(&bad, 1, 0x0100, 0, 0);
	put_question(&bad, "corp.example", 252);
	send_raw(&fixture, &bad);
	assert_true(receive(&fixture, fixture.fd, 1000, &answer));
	assert_int_equal(parse(&answer).rcode, DNS_NOTIMP);
	fixture_clear(&fixture);
}

/* D5: 512 octets without EDNS, else what the asker says; whole over TCP. */
static void test_sizes(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	static const struct {
		uint16_t edns, octets;
		bool truncated;
	} cases[] = {
		{0, 400, false},
		{0, 500, true},
		{100, 400, false},
		{1232, 1100, false},
		{1232, 1300, true},
		{4096, 4000, false},
	};

	use(&fixture, &plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct message query, answer;

		put_header(&query, i, 0x0100, 0, cases[i].edns > 0);
		put_question(&query, "www.corp.example", 16);
		if (cases[i].edns)
			put_opt(&query, cases[i].edns, false, NULL, 0);
		send_raw(&fixture, &query);
		query = serve(&fixture, &plain);
		assert_int_equal(parse(&query).has_opt, cases[i].edns > 0);
		answer = answer_to(&query, cases[i].octets);
		reply(&plain, &answer);
		assert_true(receive(&fixture, fixture.fd, 1000, &answer));
		assert_int_equal(parse(&answer).truncated, cases[i].truncated);
		assert_true(answer.length <= (cases[i].edns > 512 ? cases[i].edns : 512));
	}
	fixture_clear(&fixture);
	plain_clear(&plain);
}

/* Several queries on one TCP connection, answered in any order, in crumbs. */
static void test_tcp_pipelined(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message queries[3], answer;
	struct sockaddr_in askers[3];
	int fd;

	use(&fixture, &plain);
	fd = connect_tcp(&fixture);
	for (uint16_t i = 0; i < 3; i++) {
		char name[] = "n0.corp.example";
		uint8_t frame[600];

		name[1] += i;
		queries[i] = query_for(i, name);
		dns_put16(frame, queries[i].length);
		memcpy(frame + 2, queries[i].data, queries[i].length);
		for (size_t j = 0; j < 2 + queries[i].length; j++) {
			assert_int_equal(send(fd, frame + j, 1, MSG_NOSIGNAL), 1);
			sd_event_run(fixture.event, 1000);
		}
		queries[i] = serve(&fixture, &plain);
		askers[i] = plain.asker;
	}
	assert_int_equal(shutdown(fd, SHUT_WR), 0); /* asks no more, still wants its answers */
	for (int i = 2; i >= 0; i--) {
		plain.asker = askers[i];
		answer = answer_to(&queries[i], 10);
		reply(&plain, &answer);
		assert_true(receive_tcp(&fixture, fd, &answer));
		assert_int_equal(parse(&answer).id, i);
		assert_int_equal(answer.data[14], '0' + i);
	}
	assert_false(receive_tcp(&fixture, fd, &answer));
	close(fd);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

static void test_tcp_asker_hangs_up(void **state)
{
	struct plain plain = plain_new();
	struct fixture fixture = fixture_new();
	struct message query = query_for(1, "www.corp.example"), answer;
	int fd, other;

	use(&fixture, &plain);
	fd = connect_tcp(&fixture);
	send_tcp(fd, &query);
	query = serve(&fixture, &plain);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
	other = connect_tcp(&fixture); /* may take the other's place in the table */
	for (int i = 0; i < 5; i++)
		sd_event_run(fixture.event, 5000);
	answer = answer_to(&query, 10);
	reply(&plain, &answer);
	for (int i = 0; i < 5; i++)
		sd_event_run(fixture.event, 5000);
	assert_int_equal(recv(other, answer.data, 1, MSG_DONTWAIT), -1);
	assert_int_equal(forwarder_counters(fixture.forwarder).in_flight, 0);
	assert_int_equal(forwarder_counters(fixture.forwarder).dropped, 1);
	close(other);
	fixture_clear(&fixture);
	plain_clear(&plain);
}

static void test_tcp_too_long(void **state)
{
	struct fixture fixture = fixture_new();
	struct message answer;
	int fd = connect_tcp(&fixture);

	assert_int_equal(send(fd, "\x20\x00....", 6, MSG_NOSIGNAL), 6);
	assert_false(receive_tcp(&fixture, fd, &answer));
	assert_int_equal(forwarder_counters(fixture.forwarder).dropped, 1);
	close(fd);
	fixture_clear(&fixture);
}

/* Sockets that an earlier run has kept (systemd's fd store) go on to serve. */
static void test_kept_sockets(void **state)
{
	struct fixture fixture = fixture_new();
	uint16_t port = forwarder_port(fixture.forwarder);
	const int *fds = forwarder_fds(fixture.forwarder);
	int kept[2] = {dup(fds[0]), dup(fds[1])};
	struct address address = loopback();

	fixture.forwarder = forwarder_free(fixture.forwarder);
	assert_int_equal(
		forwarder_new(fixture.event, &address, 0, kept, NULL, NULL, &fixture.forwarder), 0);
	assert_int_equal(forwarder_port(fixture.forwarder), port);
	assert_int_equal(ask_rcode(&fixture, 1, "www.corp.example"), DNS_SERVFAIL);
	fixture_clear(&fixture);
}

static void test_port_taken(void **state)
{
	struct fixture fixture = fixture_new();
	struct address address = loopback();
	struct forwarder *second = NULL;

	assert_int_equal(forwarder_new(fixture.event, &address, forwarder_port(fixture.forwarder), NULL,
						 NULL, NULL, &second),
		-EADDRINUSE);
	assert_null(second);
	fixture_clear(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_blocked_but_for_known_hosts),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_ports_change),
		cmocka_unit_test(test_plain_forgeries),
		cmocka_unit_test(test_plain_over_tcp),
		cmocka_unit_test(test_virtual_ip_gone),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_set_upstream_with_queries_in_flight),
		cmocka_unit_test(test_bad_upstream_changes_nothing),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_too_many_queries),
		cmocka_unit_test(test_the_same_goes_out_once),
		cmocka_unit_test(test_the_same_fails_once),
		cmocka_unit_test(test_what_is_not_the_same),
		cmocka_unit_test(test_an_old_one_is_asked_again),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_tcp_pipelined),
		cmocka_unit_test(test_tcp_asker_hangs_up),
		cmocka_unit_test(test_tcp_too_long),
		cmocka_unit_test(test_kept_sockets),
		cmocka_unit_test(test_port_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
