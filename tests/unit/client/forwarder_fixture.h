/*
 * A forwarder on a free loopback port and a socket that asks it, for the tests.
 */
#pragma once

#include "dns_messages.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client-helper/forwarder.h"

struct fixture {
	sd_event *event;
	struct forwarder *forwarder;
	int fd; /* UDP, connected to it */
};

static inline struct address loopback(void)
{
	return (struct address){.family = AF_INET, .in.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline struct sockaddr_in forwarder_name(const struct fixture *fixture)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(forwarder_port(fixture->forwarder)),
	};
}

static inline struct fixture fixture_new(void)
{
	struct fixture fixture;
	struct address address = loopback();
	struct sockaddr_in name;

	assert_int_equal(sd_event_new(&fixture.event), 0);
	assert_int_equal(
		forwarder_new(fixture.event, &address, 0, NULL, NULL, NULL, &fixture.forwarder), 0);
	name = forwarder_name(&fixture);
	fixture.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fixture.fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fixture;
}

static inline void fixture_clear(struct fixture *fixture)
{
	close(fixture->fd);
	forwarder_free(fixture->forwarder);
	sd_event_unref(fixture->event);
}

static inline uint64_t clock_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void send_query(struct fixture *fixture, uint16_t id, const char *name)
{
	struct message query = query_for(id, name);

	assert_int_equal(send(fixture->fd, query.data, query.length, 0), query.length);
}

/* Runs the event loop until an answer arrives on fd; false: none within so many milliseconds. */
static inline bool receive(
	struct fixture *fixture, int fd, unsigned milliseconds, struct message *ret)
{
	uint64_t end = clock_usec() + (uint64_t)milliseconds * 1000;

	do {
		ssize_t n;

		assert_true(sd_event_run(fixture->event, 5000) >= 0);
		n = recv(fd, ret->data, sizeof(ret->data), MSG_DONTWAIT);
		if (n > 0) {
			ret->length = n;
			return true;
		}
	} while (clock_usec() < end);
	return false;
}

static inline struct dns_message parse(const struct message *message)
{
	struct dns_message parsed;

	assert_int_equal(dns_read(message->data, message->length, &parsed), 0);
	return parsed;
}

/* The response code of the answer to a question, -1: no answer. */
static inline int ask_rcode(struct fixture *fixture, uint16_t id, const char *name)
{
	struct message answer;
	struct dns_message parsed;

	send_query(fixture, id, name);
	if (!receive(fixture, fixture->fd, 6000, &answer))
		return -1;
	parsed = parse(&answer);
	assert_int_equal(parsed.id, id);
	assert_true(parsed.response);
	return parsed.rcode;
}

static inline const char *last_error(const struct fixture *fixture)
{
	const char *error = forwarder_server_status(fixture->forwarder, 0).last_error;

	return error ? error : "(none)";
}

static inline enum server_state first_state(const struct fixture *fixture)
{
	return forwarder_server_status(fixture->forwarder, 0).state;
}
