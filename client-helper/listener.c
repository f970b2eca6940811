#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "framing.h"

enum {
	BACKLOG = 64,
	CLIENT_IN = 2 + LIMIT_CLIENT_QUERY,
	PORT_TRIALS = 16,
};

/* One TCP connection of an asker. */
struct client {
	struct listener *listener;
	int fd; /* -1: nobody */
	sd_event_source *io;
	uint32_t generation;
	uint32_t events; /* that io waits for */
	unsigned in_flight;
	bool ended; /* will ask no more, but waits for answers */
	bool dirty; /* has answers to be written */
	uint64_t used_at;
	size_t in_length, out_length, out_size;
	uint8_t *in, *out;
};

struct listener {
	sd_event *event;
	int fds[2]; /* UDP, TCP */
	sd_event_source *io[2];
	uint16_t port;
	bool pad, clients_dirty;
	uint64_t deadline; /* of the next look at quiet clients */
	struct query_pool *pool;
	const struct listener_events *events;
	void *userdata;
	struct listener_counters counters;
	struct client clients[LIMIT_CLIENTS];

	/* answers to be sent */
	unsigned n_out;
	struct mmsghdr out[LIMIT_UDP_BATCH];
	struct iovec out_iov[LIMIT_UDP_BATCH];
	struct sockaddr_in6 out_names[LIMIT_UDP_BATCH];
	uint8_t own[LIMIT_UDP_BATCH][DNS_OWN_SIZE];

	/* queries as they come */
	struct mmsghdr in[LIMIT_UDP_BATCH];
	struct iovec in_iov[LIMIT_UDP_BATCH];
	struct sockaddr_in6 in_names[LIMIT_UDP_BATCH];
	uint8_t messages[LIMIT_UDP_BATCH][LIMIT_UDP_QUERY];
};

static uint64_t now(struct listener *listener)
{
	uint64_t usec = 0;

	(void)sd_event_now(listener->event, CLOCK_MONOTONIC, &usec);
	return usec;
}

/* ---- answers ---- */

static void client_close(struct client *client)
{
	client->io = sd_event_source_disable_unref(client->io);
	if (client->fd >= 0)
		close(client->fd);
	free(client->in);
	free(client->out);
	*client = (struct client){
		.listener = client->listener,
		.fd = -1,
		.generation = client->generation + 1,
	};
}

static void client_wait_for(struct client *client)
{
	uint32_t events = 0;

	if (!client->ended && client->in_flight < LIMIT_CLIENT_IN_FLIGHT)
		events |= EPOLLIN;
	if (client->out_length > 0)
		events |= EPOLLOUT;
	if (events != client->events)
		(void)sd_event_source_set_io_events(client->io, events);
	client->events = events;
}

static void client_flush(struct client *client)
{
	size_t sent = 0;

	client->dirty = false;
	while (sent < client->out_length) {
		ssize_t n = send(client->fd, client->out + sent, client->out_length - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			client_close(client);
			return;
		}
		if (n < 0)
			break;
		sent += n;
	}
	client->out_length -= sent;
	if (sent > 0)
		memmove(client->out, client->out + sent, client->out_length);
	if (client->ended && client->in_flight == 0 && client->out_length == 0)
		client_close(client);
	else
		client_wait_for(client);
}

/* Where the asker has hung up meanwhile: NULL. */
static struct client *client_of(struct listener *listener, const struct asker *asker)
{
	struct client *client = &listener->clients[asker->client];

	return client->fd >= 0 && client->generation == asker->generation ? client : NULL;
}

static bool client_reserve(struct client *client, size_t more)
{
	size_t size = client->out_size ? client->out_size : CLIENT_IN;
	uint8_t *out;

	if (client->out_length + more > LIMIT_CLIENT_OUT)
		return false;
	while (size < client->out_length + more)
		size *= 2;
	if (size == client->out_size)
		return true;
	out = realloc(client->out, size);
	if (!out)
		return false;
	client->out = out;
	client->out_size = size;
	return true;
}

static void answer_client(
	struct listener *listener, const struct asker *asker, const uint8_t *message, size_t length)
{
	struct client *client = client_of(listener, asker);

	if (!client) {
		listener->counters.dropped++;
		return;
	}
	client->in_flight--;
	if (!client_reserve(client, 2 + length)) {
		listener->counters.dropped++;
		client_close(client);
		return;
	}
	dns_put16(client->out + client->out_length, length);
	memcpy(client->out + client->out_length + 2, message, length);
	client->out_length += 2 + length;
	client->dirty = listener->clients_dirty = true;
}

static void flush_udp(struct listener *listener)
{
	unsigned sent = 0;

	while (sent < listener->n_out) {
		int n =
			sendmmsg(listener->fds[0], listener->out + sent, listener->n_out - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* The first of the rest cannot be delivered: the asker will ask again. */
		if (n < 0) {
			listener->counters.dropped++;
			n = 1;
		}
		sent += n;
	}
	listener->n_out = 0;
}

void listener_flush(struct listener *listener)
{
	if (listener->n_out > 0)
		flush_udp(listener);
	if (listener->clients_dirty) {
		listener->clients_dirty = false;
		for (size_t i = 0; i < LIMIT_CLIENTS; i++)
			if (listener->clients[i].dirty)
				client_flush(&listener->clients[i]);
	}
}

/* A place in the batch. Only sent when full or with the next flush. */
static unsigned reserve_udp(struct listener *listener)
{
	if (listener->n_out == LIMIT_UDP_BATCH)
		flush_udp(listener);
	return listener->n_out;
}

static void answer_udp(
	struct listener *listener, const struct asker *asker, uint8_t *message, size_t length)
{
	unsigned i = listener->n_out++;

	memcpy(&listener->out_names[i], &asker->address, sizeof(listener->out_names[i]));
	listener->out_iov[i] = (struct iovec){.iov_base = message, .iov_len = length};
	listener->out[i].msg_hdr.msg_namelen = asker->address.any.sa_family == AF_INET
											   ? sizeof(struct sockaddr_in)
											   : sizeof(struct sockaddr_in6);
}

void listener_answer(struct listener *listener, struct query *query, uint8_t *message,
	size_t length, const struct dns_message *parsed)
{
	length = dns_fit_answer(message, length, parsed, query->edns, query->limit);
	dns_put16(message, query->asker_id);
	listener->counters.answers++;
	if (query->asker.tcp) {
		answer_client(listener, &query->asker, message, length);
	} else {
		(void)reserve_udp(listener);
		answer_udp(listener, &query->asker, message, length);
	}
	query_pool_put(listener->pool, query);
}

/* message: in the place that reserve_udp has given. */
static void send_own(struct listener *listener, const struct asker *asker, uint16_t id,
	uint8_t *message, size_t length)
{
	dns_put16(message, id);
	if (asker->tcp)
		answer_client(listener, asker, message, length);
	else
		answer_udp(listener, asker, message, length);
}

/* query: header and question are read; id: the asker's. */
static void answer_error(struct listener *listener, const struct asker *asker, const uint8_t *query,
	uint16_t id, size_t question_length, enum dns_rcode rcode, bool edns, enum dns_ede code,
	const char *text)
{
	uint8_t *message = listener->own[reserve_udp(listener)];
	size_t length = dns_write_error(query, question_length, rcode, edns, code, text, message);

	send_own(listener, asker, id, message, length);
}

static uint16_t type_of(const struct query *query)
{
	return dns_get16(query->message + DNS_HEADER_SIZE + query->question_length - 4);
}

void listener_answer_address(
	struct listener *listener, struct query *query, const struct address *address)
{
	bool asked = type_of(query) == (address->family == AF_INET ? DNS_A : DNS_AAAA);
	uint8_t *message = listener->own[reserve_udp(listener)];
	size_t length = dns_write_address(
		query->message, query->question_length, query->edns, asked ? address : NULL, message);

	listener->counters.answers++;
	send_own(listener, &query->asker, query->asker_id, message, length);
	query_pool_put(listener->pool, query);
}

void listener_fail(
	struct listener *listener, struct query *query, enum dns_ede code, const char *text)
{
	listener->counters.servfails++;
	answer_error(listener, &query->asker, query->message, query->asker_id, query->question_length,
		DNS_SERVFAIL, query->edns, code, text);
	query_pool_put(listener->pool, query);
}

/* ---- queries ---- */

/* Whole zones don't go through a stub (RFC 5936, RFC 1995), nor does anything with
   records in it. */
static bool supported(const struct dns_message *parsed)
{
	enum { TYPE_IXFR = 251, TYPE_AXFR = 252 };

	return parsed->opcode == 0 && parsed->counts[1] == 0 && parsed->counts[2] == 0 &&
		   parsed->counts[3] == parsed->has_opt && parsed->question_type != TYPE_IXFR &&
		   parsed->question_type != TYPE_AXFR;
}

static uint16_t limit_of(const struct asker *asker, const struct dns_message *parsed)
{
	if (asker->tcp)
		return LIMIT_MESSAGE;
	if (!parsed->has_opt || parsed->udp_size < LIMIT_UDP_UNASKED)
		return LIMIT_UDP_UNASKED;
	return parsed->udp_size < LIMIT_UDP_ANSWER ? parsed->udp_size : LIMIT_UDP_ANSWER;
}

/* False: it was no query, and nothing will answer it. */
static bool take_query(
	struct listener *listener, const struct asker *asker, const uint8_t *message, size_t length)
{
	struct dns_message parsed;
	struct query *query;

	if (dns_read(message, length, &parsed) < 0 || parsed.response || parsed.question_length == 0) {
		listener->counters.dropped++;
		return false;
	}
	listener->counters.queries++;
	if (!supported(&parsed)) {
		answer_error(listener, asker, message, parsed.id, parsed.question_length, DNS_NOTIMP,
			parsed.has_opt, DNS_EDE_OTHER, NULL);
		return true;
	}
	query = query_pool_get(listener->pool);
	if (!query) {
		listener->counters.servfails++;
		answer_error(listener, asker, message, parsed.id, parsed.question_length, DNS_SERVFAIL,
			parsed.has_opt, DNS_EDE_OTHER, "too many queries at a time");
		return true;
	}
	query->asker = *asker;
	query->asker_id = parsed.id;
	query->limit = limit_of(asker, &parsed);
	query->edns = parsed.has_opt;
	query->arrived = now(listener);
	query->question_length = parsed.question_length;
	query->length = dns_write_query(message, &parsed, listener->pad, query->message);
	listener->events->query(query, listener->userdata);
	return true;
}

/* The number of datagrams that there were, at most LIMIT_UDP_BATCH. */
static int read_batch(struct listener *listener, int fd)
{
	int n = recvmmsg(fd, listener->in, LIMIT_UDP_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		struct asker asker = {.tcp = false};

		/* What the kernel has set it to is no limit for the next one. */
		listener->in[i].msg_hdr.msg_namelen = sizeof(listener->in_names[i]);
		memcpy(&asker.address, &listener->in_names[i], sizeof(asker.address));
		if (listener->in[i].msg_hdr.msg_flags & MSG_TRUNC)
			listener->counters.dropped++;
		else
			take_query(listener, &asker, listener->messages[i], listener->in[i].msg_len);
	}
	return n;
}

static int on_udp(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;
	int n = LIMIT_UDP_BATCH;

	/* A burst is taken in before any of it is sent on: the socket's buffer may hold only 500. */
	for (size_t taken = 0; n == LIMIT_UDP_BATCH && taken < LIMIT_QUERIES; taken += n)
		n = read_batch(listener, fd);
	listener->events->idle(listener->userdata);
	listener_flush(listener);
	return 0;
}

static void on_client_message(uint8_t *message, size_t length, void *userdata)
{
	struct client *client = userdata;
	struct listener *listener = client->listener;
	struct asker asker = {
		.tcp = true,
		.client = client - listener->clients,
		.generation = client->generation,
	};

	if (client->fd < 0)
		return;
	client->in_flight++;
	if (!take_query(listener, &asker, message, length) && client_of(listener, &asker))
		client->in_flight--;
}

static void client_read(struct client *client)
{
	uint32_t generation = client->generation;
	uint8_t *in = client->in;
	size_t taken;
	ssize_t n = recv(client->fd, in + client->in_length, CLIENT_IN - client->in_length, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client_close(client);
		return;
	}
	client->ended = n == 0;
	client->in_length += n;
	client->used_at = now(client->listener);
	client->in = NULL; /* ours, should answers close the client */
	taken = framing_read(in, client->in_length, on_client_message, client);
	if (client->generation != generation) {
		free(in);
		return;
	}
	client->in = in;
	client->in_length -= taken;
	memmove(in, in + taken, client->in_length);
	/* Longer than any query: nothing sensible will follow. */
	if (client->in_length >= 2 && dns_get16(in) > LIMIT_CLIENT_QUERY) {
		client->listener->counters.dropped++;
		client_close(client);
		return;
	}
	client->dirty = client->listener->clients_dirty = true;
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *client = userdata;
	struct listener *listener = client->listener;
	uint32_t generation = client->generation;

	if (revents & EPOLLERR || (revents & EPOLLHUP && client->ended)) {
		client_close(client);
		return 0;
	}
	if (revents & EPOLLOUT)
		client_flush(client);
	if (client->generation == generation && revents & (EPOLLIN | EPOLLHUP))
		client_read(client);
	listener->events->idle(listener->userdata);
	listener_flush(listener);
	return 0;
}

static int on_tcp(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;
	struct client *client = NULL;
	int one = 1, accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (accepted < 0)
		return 0;
	for (size_t i = 0; i < LIMIT_CLIENTS && !client; i++)
		if (listener->clients[i].fd < 0)
			client = &listener->clients[i];
	if (!client) {
		listener->counters.dropped++;
		close(accepted);
		return 0;
	}
	(void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	client->fd = accepted;
	client->events = EPOLLIN;
	client->used_at = now(listener);
	client->in = malloc(CLIENT_IN);
	if (!client->in ||
		sd_event_add_io(listener->event, &client->io, accepted, EPOLLIN, on_client, client) < 0)
		client_close(client);
	if (listener->deadline == UINT64_MAX)
		listener->deadline = client->used_at + LIMIT_CLIENT_IDLE_USEC;
	listener->events->idle(listener->userdata);
	return 0;
}

uint64_t listener_deadline(const struct listener *listener)
{
	return listener->deadline;
}

void listener_tick(struct listener *listener)
{
	uint64_t usec = now(listener), next = UINT64_MAX;

	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *client = &listener->clients[i];
		uint64_t end = client->used_at + LIMIT_CLIENT_IDLE_USEC;

		if (client->fd < 0)
			continue;
		if (usec >= end && client->in_flight == 0)
			client_close(client);
		else if (end < next)
			next = usec >= end ? usec + LIMIT_CLIENT_IDLE_USEC : end;
	}
	listener->deadline = next;
}

/* ---- sockets ---- */

static int open_socket(const struct address *address, uint16_t port, int type)
{
	struct sockaddr_storage name;
	socklen_t length = address_to_sockaddr(address, port, &name);
	int one = 1, size = LIMIT_UDP_RCVBUF, error;
	int fd = socket(address->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&name, length) < 0 ||
		(type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

static int port_of(int fd, uint16_t *ret)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return -errno;
	if (name.ss_family == AF_INET)
		*ret = ntohs(((struct sockaddr_in *)&name)->sin_port);
	else if (name.ss_family == AF_INET6)
		*ret = ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
	else
		return -EAFNOSUPPORT;
	return 0;
}

/* One port for both: with 0 the kernel's choice for UDP, again while TCP has it taken. */
static int open_sockets(const struct address *address, uint16_t port, int ret[2])
{
	int result = -EADDRINUSE;

	for (int i = 0; i < PORT_TRIALS; i++) {
		uint16_t chosen = port;
		int udp = open_socket(address, port, SOCK_DGRAM), tcp;

		if (udp < 0)
			return udp;
		result = port_of(udp, &chosen);
		tcp = result < 0 ? result : open_socket(address, chosen, SOCK_STREAM);
		if (tcp >= 0) {
			ret[0] = udp;
			ret[1] = tcp;
			return 0;
		}
		close(udp);
		result = tcp;
		if (port != 0 || result != -EADDRINUSE)
			break;
	}
	return result;
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		sd_event_source_disable_unref(listener->io[i]);
		if (listener->fds[i] >= 0)
			close(listener->fds[i]);
	}
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		client_close(&listener->clients[i]);
	free(listener);
	return NULL;
}

int listener_new(sd_event *event, const struct address *address, uint16_t port, const int fds[2],
	struct query_pool *pool, const struct listener_events *events, void *userdata,
	struct listener **ret)
{
	struct listener *listener = malloc(sizeof(*listener));
	int result = 0;

	if (!listener)
		return -ENOMEM;
	/* The buffers at the end stay unbacked by memory until they are needed. */
	memset(listener, 0, offsetof(struct listener, own));
	memset(listener->in, 0, sizeof(listener->in));
	listener->event = event;
	listener->pool = pool;
	listener->events = events;
	listener->userdata = userdata;
	listener->fds[0] = listener->fds[1] = -1;
	listener->deadline = UINT64_MAX;
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		listener->clients[i] = (struct client){.listener = listener, .fd = -1};
	for (size_t i = 0; i < LIMIT_UDP_BATCH; i++) {
		listener->in_iov[i] = (struct iovec){listener->messages[i], LIMIT_UDP_QUERY};
		listener->in[i].msg_hdr.msg_iov = &listener->in_iov[i];
		listener->in[i].msg_hdr.msg_iovlen = 1;
		listener->in[i].msg_hdr.msg_name = &listener->in_names[i];
		listener->in[i].msg_hdr.msg_namelen = sizeof(listener->in_names[i]);
		listener->out[i].msg_hdr.msg_iov = &listener->out_iov[i];
		listener->out[i].msg_hdr.msg_iovlen = 1;
		listener->out[i].msg_hdr.msg_name = &listener->out_names[i];
	}
	if (fds)
		memcpy(listener->fds, fds, sizeof(listener->fds));
	else
		result = open_sockets(address, port, listener->fds);
	if (result >= 0)
		result = port_of(listener->fds[0], &listener->port);
	if (result >= 0)
		result =
			sd_event_add_io(event, &listener->io[0], listener->fds[0], EPOLLIN, on_udp, listener);
	if (result >= 0)
		result =
			sd_event_add_io(event, &listener->io[1], listener->fds[1], EPOLLIN, on_tcp, listener);
	if (result < 0) {
		if (fds)
			listener->fds[0] = listener->fds[1] = -1;
		listener_free(listener);
		return result;
	}
	*ret = listener;
	return 0;
}

void listener_set_padding(struct listener *listener, bool pad)
{
	listener->pad = pad;
}

uint16_t listener_port(const struct listener *listener)
{
	return listener->port;
}

const int *listener_fds(const struct listener *listener)
{
	return listener->fds;
}

struct listener_counters listener_counters(const struct listener *listener)
{
	return listener->counters;
}
