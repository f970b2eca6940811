/*
 * Plain carriers at their limits, without a chooser: the test sends, and is told what became of it.
 */
#include "dns_messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client-helper/transport.h"

enum { QUERIES = LIMIT_PLAIN_SOCKETS * LIMIT_PLAIN_PER_SOCKET };

struct world {
	sd_event *event;
	struct address address;
	struct server server;
	struct carrier *carrier;
	int udp, tcp;
	struct query queries[QUERIES];
	unsigned refused, closed;
};

static void on_ready(struct carrier *carrier, void *userdata)
{
}

static void on_refused(struct carrier *carrier, struct query *query, bool again, void *userdata)
{
	((struct world *)userdata)->refused++;
}

static void on_idle(struct carrier *carrier, void *userdata)
{
}

static void on_closed(struct carrier *carrier, bool final, const char *reason, void *userdata)
{
	((struct world *)userdata)->closed++;
}

static struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct message message = query_for(0, "www.corp.example");
	socklen_t length = sizeof(name);

	assert_non_null(world);
	world->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	world->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world->udp, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(world->udp, (struct sockaddr *)&name, &length), 0);
	assert_int_equal(bind(world->tcp, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(world->tcp, 4), 0);
	for (size_t i = 0; i < QUERIES; i++) {
		memcpy(world->queries[i].message, message.data, message.length);
		world->queries[i].length = message.length;
		world->queries[i].question_length = message.length - DNS_HEADER_SIZE - DNS_OPT_SIZE;
	}
	assert_int_equal(sd_event_new(&world->event), 0);
	world->address = (struct address){.family = AF_INET, .in = name.sin_addr};
	world->server = (struct server){
		.transport = TRANSPORT_PLAIN,
		.port = ntohs(name.sin_port),
		.addresses = &world->address,
		.n_addresses = 1,
	};
	return world;
}

/* Makes a carrier, which opens or is closed. */
static void start(struct world *world, carrier_new_t carrier_new)
{
	static const struct carrier_events events = {
		.ready = on_ready,
		.refused = on_refused,
		.idle = on_idle,
		.closed = on_closed,
	};
	struct carrier_config config = {
		.event = world->event,
		.server = &world->server,
		.events = &events,
		.userdata = world,
	};
	char reason[LIMIT_ERROR_TEXT];

	assert_int_equal(carrier_new(&config, &world->carrier, reason), 0);
	while (!world->carrier->open && world->closed == 0)
		assert_true(sd_event_run(world->event, 1000000) > 0);
}

static struct world *world_with(carrier_new_t carrier_new)
{
	struct world *world = world_new();

	start(world, carrier_new);
	assert_true(world->carrier->open);
	return world;
}

static void world_free(struct world *world)
{
	world->carrier->ops->free(world->carrier);
	sd_event_unref(world->event);
	close(world->udp);
	close(world->tcp);
	free(world);
}

static int submit(struct world *world, size_t index)
{
	return world->carrier->ops->send(world->carrier, &world->queries[index]);
}

/* The next query at the server, and who asked. */
static struct message serve(struct world *world, struct sockaddr_in *ret_asker)
{
	socklen_t length = sizeof(*ret_asker);
	struct message query;
	ssize_t n = recvfrom(
		world->udp, query.data, sizeof(query.data), 0, (struct sockaddr *)ret_asker, &length);

	assert_true(n > 0);
	query.length = n;
	return query;
}

/* The port that the query left from. */
static uint16_t port_of(struct world *world, size_t index)
{
	struct sockaddr_in asker;

	assert_int_equal(submit(world, index), 0);
	(void)serve(world, &asker);
	return asker.sin_port;
}

/* What waits for the socket; with a flush there is room again. */
static void test_stream_out(void **state)
{
	struct world *world = world_with(stream_new);
	size_t frame = 2 + world->queries[0].length, n = 0;

	while (n < QUERIES && submit(world, n) == 0)
		n++;
	assert_int_equal(n, LIMIT_STREAM_OUT / frame);
	assert_int_equal(submit(world, n), -EAGAIN);
	world->carrier->ops->flush(world->carrier);
	assert_int_equal(submit(world, n), 0);
	world_free(world);
}

static void test_queries_per_port(void **state)
{
	struct world *world = world_with(datagram_new);
	uint16_t first = port_of(world, 0);

	for (size_t i = 1; i < LIMIT_PLAIN_PER_SOCKET; i++)
		assert_int_equal(port_of(world, i), first);
	assert_int_not_equal(port_of(world, LIMIT_PLAIN_PER_SOCKET), first);
	world_free(world);
}

/* Each port keeps one query: when no place is left for another, the last goes on. */
static void test_ports(void **state)
{
	struct world *world = world_with(datagram_new);
	struct query extra = world->queries[0];
	struct sockaddr_in asker;
	uint16_t last = 0;
	unsigned changes = 0;

	for (size_t i = 0; i < QUERIES; i++) {
		uint16_t port = port_of(world, i);

		changes += port != last;
		last = port;
		if (i % LIMIT_PLAIN_PER_SOCKET != 0)
			world->carrier->ops->forget(world->carrier, &world->queries[i]);
	}
	assert_int_equal(changes, LIMIT_PLAIN_SOCKETS);
	assert_int_equal(world->carrier->ops->send(world->carrier, &extra), 0);
	(void)serve(world, &asker);
	assert_int_equal(asker.sin_port, last);
	world_free(world);
}

/* Answers that were cut short are asked for again over TCP, so many at a time. */
static void test_asked_again_over_tcp(void **state)
{
	struct world *world = world_with(datagram_new);

	for (size_t i = 0; i <= LIMIT_PLAIN_STREAM; i++) {
		struct sockaddr_in asker;
		struct message message;

		assert_int_equal(world->refused, 0);
		assert_int_equal(submit(world, i), 0);
		message = serve(world, &asker);
		message.data[2] |= 0x82; /* QR and TC */
		assert_int_equal(sendto(world->udp, message.data, message.length, 0,
							 (struct sockaddr *)&asker, sizeof(asker)),
			message.length);
		while (sd_event_run(world->event, 5000) > 0)
			;
	}
	assert_int_equal(world->refused, 1);
	world_free(world);
}

/* So many addresses are tried: the last of them answers, or the one behind it, which is not asked. */
static void test_addresses(void **state)
{
	for (size_t n = LIMIT_ADDRESSES; n <= LIMIT_ADDRESSES + 1; n++) {
		struct world *world = world_new();
		struct address addresses[LIMIT_ADDRESSES + 1];

		for (size_t i = 0; i < n; i++) {
			addresses[i] = world->address;
			if (i + 1 < n)
				addresses[i].in.s_addr = htonl(INADDR_LOOPBACK + 1 + i);
		}
		world->server.addresses = addresses;
		world->server.n_addresses = n;
		start(world, stream_new);
		assert_int_equal(world->carrier->open, n == LIMIT_ADDRESSES);
		world_free(world);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_out),
		cmocka_unit_test(test_queries_per_port),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_asked_again_over_tcp),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
