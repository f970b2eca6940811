/*
 * The side that is asked, at its limits and one beyond. The clock is the test's; what comes in waits
 * for the test to answer it.
 */
#include "dns_messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client-helper/listener.h"

#define SECOND UINT64_C(1000000)

static uint64_t usec;

/* In place of libsystemd's. */
int sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret)
{
	*ret = usec;
	return 0;
}

struct world {
	sd_event *event;
	struct query_pool *pool;
	struct listener *listener;
	struct query *held[LIMIT_QUERIES];
	size_t n_held;
	int fd; /* UDP, connected to the listener */
};

static void on_query(struct query *query, void *userdata)
{
	struct world *world = userdata;

	world->held[world->n_held++] = query;
}

static void on_idle(void *userdata)
{
}

static int connect_to(const struct world *world, int type, int receive_buffer)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(listener_port(world->listener)),
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static struct world *world_new(void)
{
	static const struct listener_events events = {.query = on_query, .idle = on_idle};
	struct address address = {.family = AF_INET, .in.s_addr = htonl(INADDR_LOOPBACK)};
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	usec = 1000 * SECOND;
	assert_int_equal(sd_event_new(&world->event), 0);
	assert_int_equal(query_pool_new(&world->pool), 0);
	assert_int_equal(listener_new(world->event, &address, 0, NULL, world->pool, &events, world,
						 &world->listener),
		0);
	world->fd = connect_to(world, SOCK_DGRAM, 0);
	return world;
}

static void world_free(struct world *world)
{
	close(world->fd);
	listener_free(world->listener);
	query_pool_free(world->pool);
	sd_event_unref(world->event);
	free(world);
}

/* Until nothing has come for a while. */
static void settle(struct world *world)
{
	while (sd_event_run(world->event, 20000) > 0)
		;
}

static uint64_t dropped(const struct world *world)
{
	return listener_counters(world->listener).dropped;
}

/* A query of so many octets: the rest is padding. */
static struct message query_of(size_t length, uint16_t udp_size)
{
	static const uint8_t zeroes[LIMIT_CLIENT_QUERY] = {0, 12};
	struct message message;
	size_t options;

	put_header(&message, 1, 0x0100, 0, 1);
	put_question(&message, "www.corp.example", 16);
	options = length - message.length - DNS_OPT_SIZE;
	put_opt(&message, udp_size, false, zeroes, options);
	dns_put16(message.data + message.length - options + 2, options - 4);
	assert_int_equal(message.length, length);
	return message;
}

static struct message plain_query(void)
{
	struct message message;

	put_header(&message, 1, 0x0100, 0, 0);
	put_question(&message, "www.corp.example", 16);
	return message;
}

static void send_udp(struct world *world, const struct message *message)
{
	assert_int_equal(send(world->fd, message->data, message->length, 0), message->length);
}

static void send_tcp(int fd, const struct message *message)
{
	uint8_t frame[2 + sizeof(message->data)];

	dns_put16(frame, message->length);
	memcpy(frame + 2, message->data, message->length);
	assert_int_equal(send(fd, frame, 2 + message->length, MSG_NOSIGNAL), 2 + message->length);
}

/* Answers the latest query with a message of so many octets. */
static void answer(struct world *world, size_t length)
{
	struct query *query = world->held[--world->n_held];
	struct dns_message parsed;
	struct message message;

	put_header(&message, 1, 0x8180, 1, 0);
	memcpy(message.data + message.length, query->message + message.length, query->question_length);
	message.length += query->question_length;
	put_record(&message, length - message.length - 12);
	assert_int_equal(message.length, length);
	assert_int_equal(dns_read(message.data, message.length, &parsed), 0);
	listener_answer(world->listener, query, message.data, message.length, &parsed);
	listener_flush(world->listener);
}

/* ---- datagrams ---- */

static void test_longest_datagram(void **state)
{
	struct world *world = world_new();
	struct message longest = query_of(LIMIT_UDP_QUERY, 1232);
	struct message longer = query_of(LIMIT_UDP_QUERY + 1, 1232);

	send_udp(world, &longest);
	settle(world);
	assert_int_equal(world->n_held, 1);
	assert_int_equal(dropped(world), 0);
	send_udp(world, &longer);
	settle(world);
	assert_int_equal(world->n_held, 1);
	assert_int_equal(dropped(world), 1);
	world_free(world);
}

/* More than one system call takes are taken in one turn, and answered all. */
static void test_burst(void **state)
{
	enum { BURST = 2 * LIMIT_UDP_BATCH + 1 };
	struct world *world = world_new();
	struct message query = plain_query();
	uint8_t octets[LIMIT_UDP_UNASKED];

	for (int i = 0; i < BURST; i++)
		send_udp(world, &query);
	assert_true(sd_event_run(world->event, SECOND) > 0);
	assert_int_equal(world->n_held, BURST);
	while (world->n_held > 0)
		listener_fail(
			world->listener, world->held[--world->n_held], DNS_EDE_OTHER, "not in this test");
	listener_flush(world->listener);
	for (int i = 0; i < BURST; i++)
		assert_true(recv(world->fd, octets, sizeof(octets), MSG_DONTWAIT) > 0);
	world_free(world);
}

/* D5: what fits is sent whole, an octet more is cut. */
static void test_longest_answer(void **state)
{
	static const struct {
		uint16_t udp_size; /* 0: no EDNS */
		size_t longest;
	} cases[] = {
		{0, LIMIT_UDP_UNASKED},
		{100, LIMIT_UDP_UNASKED},
		{LIMIT_UDP_UNASKED + 1, LIMIT_UDP_UNASKED + 1},
		{65535, LIMIT_UDP_ANSWER},
	};
	struct world *world = world_new();

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct message query =
			cases[i / 2].udp_size ? query_of(100, cases[i / 2].udp_size) : plain_query();
		bool more = i % 2;
		struct message got;
		struct dns_message parsed;

		send_udp(world, &query);
		settle(world);
		assert_int_equal(world->n_held, 1);
		/* One that speaks EDNS gets back what the server has sent of it: nothing. */
		answer(world, cases[i / 2].longest + more);
		got.length = recv(world->fd, got.data, sizeof(got.data), MSG_DONTWAIT);
		assert_true(got.length <= cases[i / 2].longest);
		assert_int_equal(dns_read(got.data, got.length, &parsed), 0);
		assert_int_equal(parsed.truncated, more);
		assert_int_equal(got.length == cases[i / 2].longest, !more);
	}
	world_free(world);
}

/* As much as the kernel gives; it says twice of what was asked for. */
static void test_receive_buffer(void **state)
{
	struct world *world = world_new();
	FILE *file = fopen("/proc/sys/net/core/rmem_max", "re");
	int most = 0, size = 0;
	socklen_t length = sizeof(size);

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &most), 1);
	fclose(file);
	assert_int_equal(
		getsockopt(listener_fds(world->listener)[0], SOL_SOCKET, SO_RCVBUF, &size, &length), 0);
	assert_int_equal(size, 2 * (most < LIMIT_UDP_RCVBUF ? most : LIMIT_UDP_RCVBUF));
	world_free(world);
}

/* ---- TCP ---- */

static void test_longest_query_over_tcp(void **state)
{
	struct world *world = world_new();
	struct message longest = query_of(LIMIT_CLIENT_QUERY, 1232);
	struct message longer = longest;
	int fd = connect_to(world, SOCK_STREAM, 0);

	send_tcp(fd, &longest);
	settle(world);
	assert_int_equal(world->n_held, 1);
	longer.length++;
	send_tcp(fd, &longer);
	settle(world);
	assert_int_equal(world->n_held, 1);
	assert_int_equal(dropped(world), 1);
	/* Closed, with what was not read any more. */
	assert_int_equal(recv(fd, longer.data, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	world_free(world);
}

static void test_too_many_clients(void **state)
{
	struct world *world = world_new();
	struct message query = plain_query();
	int fds[LIMIT_CLIENTS + 1];
	uint8_t octet;

	for (size_t i = 0; i <= LIMIT_CLIENTS; i++) {
		fds[i] = connect_to(world, SOCK_STREAM, 0);
		settle(world);
		assert_int_equal(dropped(world), i == LIMIT_CLIENTS);
	}
	assert_int_equal(recv(fds[LIMIT_CLIENTS], &octet, 1, MSG_DONTWAIT), 0);
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		send_tcp(fds[i], &query);
	settle(world);
	assert_int_equal(world->n_held, LIMIT_CLIENTS);
	for (size_t i = 0; i <= LIMIT_CLIENTS; i++)
		close(fds[i]);
	world_free(world);
}

/* One that asks on and on is read no further until it has its answers. */
static void test_queries_in_flight(void **state)
{
	struct world *world = world_new();
	struct message query = plain_query();
	int fd = connect_to(world, SOCK_STREAM, 0);

	settle(world);
	for (size_t i = 0; i < LIMIT_CLIENT_IN_FLIGHT; i++) {
		send_tcp(fd, &query);
		assert_true(sd_event_run(world->event, SECOND) > 0);
		assert_int_equal(world->n_held, i + 1);
	}
	send_tcp(fd, &query);
	settle(world);
	assert_int_equal(world->n_held, LIMIT_CLIENT_IN_FLIGHT);
	answer(world, 100);
	settle(world);
	assert_int_equal(world->n_held, LIMIT_CLIENT_IN_FLIGHT);
	close(fd);
	world_free(world);
}

/* What waits for one that does not read: all that it never sees is what was held for it. */
static void test_unread_answers(void **state)
{
	enum { ANSWER = 50000, FRAME = 2 + ANSWER };
	static uint8_t octets[1024 * 1024];
	struct world *world = world_new();
	struct message query = plain_query();
	int fd = connect_to(world, SOCK_STREAM, 4096);
	size_t answered = 0, received = 0;
	ssize_t n;

	while (dropped(world) == 0) {
		assert_true(answered < 1000);
		send_tcp(fd, &query);
		/* What was sent to it meanwhile may have to be sent again. */
		while (world->n_held == 0)
			assert_true(sd_event_run(world->event, 5 * SECOND) > 0);
		answer(world, ANSWER);
		answered++;
	}
	while ((n = recv(fd, octets, sizeof(octets), 0)) > 0)
		received += n;
	assert_int_equal(n, 0);
	assert_true((answered - 1) * FRAME - received <= LIMIT_CLIENT_OUT);
	assert_true(answered * FRAME - received > LIMIT_CLIENT_OUT);
	close(fd);
	world_free(world);
}

static void test_quiet_client(void **state)
{
	struct world *world = world_new();
	int fd = connect_to(world, SOCK_STREAM, 0);
	uint8_t octet;

	settle(world);
	assert_int_equal(listener_deadline(world->listener), usec + LIMIT_CLIENT_IDLE_USEC);
	usec += LIMIT_CLIENT_IDLE_USEC - 1;
	listener_tick(world->listener);
	assert_int_equal(recv(fd, &octet, 1, MSG_DONTWAIT), -1);
	assert_int_equal(listener_deadline(world->listener), usec + 1);
	usec++;
	listener_tick(world->listener);
	assert_int_equal(recv(fd, &octet, 1, MSG_DONTWAIT), 0);
	assert_int_equal(listener_deadline(world->listener), UINT64_MAX);
	close(fd);
	world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_datagram),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_longest_answer),
		cmocka_unit_test(test_receive_buffer),
		cmocka_unit_test(test_longest_query_over_tcp),
		cmocka_unit_test(test_too_many_clients),
		cmocka_unit_test(test_queries_in_flight),
		cmocka_unit_test(test_unread_answers),
		cmocka_unit_test(test_quiet_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
