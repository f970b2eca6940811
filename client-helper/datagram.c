/*
 * Plain DNS over UDP, inside the tunnel (I17). Against forged answers: a random id, a port that
 * changes every LIMIT_PLAIN_PER_SOCKET queries, and sockets connected to the server, so that the
 * kernel drops what comes from elsewhere (RFC 5452). What came back cut short is asked again over
 * TCP.
 */
#include "transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "channel.h"
#include "ids.h"

struct port {
	struct datagram *datagram;
	int fd; /* -1: unused */
	sd_event_source *io;
	unsigned used, outstanding;
};

/* query->handle is the port's place. */
struct datagram {
	struct carrier carrier;
	struct carrier_config config;
	const struct address *address;
	struct ids *ids;
	struct port ports[LIMIT_PLAIN_SOCKETS];
	struct port *current;
	struct carrier *stream;                      /* NULL: nothing came back cut short lately */
	struct query *on_stream[LIMIT_PLAIN_STREAM]; /* not sent before the stream is open */
	unsigned n_on_stream;
	uint8_t in[LIMIT_MESSAGE];
};

static void port_close(struct port *port)
{
	port->io = sd_event_source_disable_unref(port->io);
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
	port->used = port->outstanding = 0;
}

static void drop_stream(struct datagram *datagram)
{
	if (datagram->stream)
		datagram->stream->ops->free(datagram->stream);
	datagram->stream = NULL;
	datagram->n_on_stream = 0;
}

static void datagram_free(struct carrier *carrier)
{
	struct datagram *datagram = (struct datagram *)carrier;

	for (size_t i = 0; i < LIMIT_PLAIN_SOCKETS; i++)
		port_close(&datagram->ports[i]);
	drop_stream(datagram);
	ids_free(datagram->ids);
	free(datagram);
}

static bool leave_stream(struct datagram *datagram, struct query *query)
{
	for (unsigned i = 0; i < datagram->n_on_stream; i++)
		if (datagram->on_stream[i] == query) {
			datagram->on_stream[i] = datagram->on_stream[--datagram->n_on_stream];
			return true;
		}
	return false;
}

/* ---- TCP, for what came back cut short ---- */

static void stream_ready(struct carrier *stream, void *userdata)
{
	struct datagram *datagram = userdata;

	for (unsigned i = 0; i < datagram->n_on_stream; i++)
		(void)stream->ops->send(stream, datagram->on_stream[i]); /* its buffer takes them all */
	stream->ops->flush(stream);
}

static void stream_answer(struct carrier *stream, struct query *query, uint8_t *message,
	size_t length, const struct dns_message *parsed, void *userdata)
{
	struct datagram *datagram = userdata;
	struct carrier *carrier = &datagram->carrier;

	leave_stream(datagram, query);
	carrier->events->answer(carrier, query, message, length, parsed, carrier->userdata);
}

static void stream_idle(struct carrier *stream, void *userdata)
{
	struct carrier *carrier = &((struct datagram *)userdata)->carrier;

	carrier->events->idle(carrier, carrier->userdata);
}

static void stream_closed(struct carrier *stream, bool final, const char *reason, void *userdata)
{
	struct datagram *datagram = userdata;
	struct carrier *carrier = &datagram->carrier;
	struct query *lost[LIMIT_PLAIN_STREAM];
	unsigned n = datagram->n_on_stream;

	memcpy(lost, datagram->on_stream, n * sizeof(*lost));
	drop_stream(datagram);
	for (unsigned i = 0; i < n; i++)
		carrier->events->refused(carrier, lost[i], false, carrier->userdata);
	carrier->events->idle(carrier, carrier->userdata);
}

/* False: no way to ask over TCP now. */
static bool ask_on_stream(struct datagram *datagram, struct query *query)
{
	static const struct carrier_events events = {
		.ready = stream_ready,
		.answer = stream_answer,
		.idle = stream_idle,
		.closed = stream_closed,
	};
	char reason[LIMIT_ERROR_TEXT];

	if (datagram->n_on_stream == LIMIT_PLAIN_STREAM)
		return false;
	if (!datagram->stream) {
		struct carrier_config config = datagram->config;

		config.events = &events;
		config.userdata = datagram;
		if (stream_new(&config, &datagram->stream, reason) < 0)
			return false;
	}
	datagram->on_stream[datagram->n_on_stream++] = query;
	if (datagram->stream->open) {
		(void)datagram->stream->ops->send(datagram->stream, query);
		datagram->stream->ops->flush(datagram->stream);
	}
	return true;
}

/* ---- UDP ---- */

static void settle(struct datagram *datagram, struct query *query)
{
	struct port *port = &datagram->ports[query->handle];

	ids_drop(datagram->ids, query);
	if (port->outstanding > 0)
		port->outstanding--;
	if (port->outstanding == 0 && port != datagram->current)
		port_close(port);
}

static void on_message(struct datagram *datagram, struct port *port, size_t length)
{
	struct carrier *carrier = &datagram->carrier;
	struct dns_message parsed;
	struct query *query;

	if (dns_read(datagram->in, length, &parsed) < 0)
		return;
	query = ids_match(datagram->ids, datagram->in, &parsed);
	if (!query || &datagram->ports[query->handle] != port)
		return;
	settle(datagram, query);
	if (parsed.truncated) {
		if (!ask_on_stream(datagram, query))
			carrier->events->refused(carrier, query, false, carrier->userdata);
		return;
	}
	carrier->events->answer(carrier, query, datagram->in, length, &parsed, carrier->userdata);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct port *port = userdata;
	struct datagram *datagram = port->datagram;
	struct carrier *carrier = &datagram->carrier;

	/* The port may be closed with its last answer. */
	while (port->fd == fd) {
		ssize_t n = recv(fd, datagram->in, sizeof(datagram->in), 0);

		if (n < 0) {
			char reason[LIMIT_ERROR_TEXT];

			if (errno == EAGAIN || errno == EINTR)
				break;
			snprintf(reason, sizeof(reason), "the server cannot be reached: %s", strerror(errno));
			carrier->events->closed(carrier, false, reason, carrier->userdata);
			return 0;
		}
		on_message(datagram, port, n);
		/* The next datagram overwrites this one. */
		carrier->events->idle(carrier, carrier->userdata);
	}
	return 0;
}

static int port_open(struct datagram *datagram, struct port *port)
{
	int result = channel_socket(&datagram->config, datagram->address, SOCK_DGRAM);

	if (result < 0)
		return result;
	port->fd = result;
	port->used = port->outstanding = 0;
	result =
		sd_event_add_io(datagram->config.event, &port->io, port->fd, EPOLLIN, on_readable, port);
	if (result < 0) {
		port_close(port);
		return result;
	}
	datagram->current = port;
	return 0;
}

/* A fresh port where the current one has been used enough and a place for another is free. */
static void change_port(struct datagram *datagram)
{
	struct port *current = datagram->current;

	if (current->used < LIMIT_PLAIN_PER_SOCKET)
		return;
	for (size_t i = 0; i < LIMIT_PLAIN_SOCKETS; i++) {
		struct port *port = &datagram->ports[i];

		if (port->fd >= 0)
			continue;
		if (port_open(datagram, port) >= 0 && current->outstanding == 0)
			port_close(current);
		return;
	}
}

/* False: by this socket nothing goes out any more, as its device is gone. */
static bool send_from(const struct port *port, const struct query *query)
{
	uint8_t message[LIMIT_QUERY_SIZE];

	memcpy(message, query->message, query->length);
	dns_put16(message, query->id);
	/* What does not go out counts as lost on the way; an error shows when the socket is read. */
	return send(port->fd, message, query->length, MSG_NOSIGNAL) >= 0 ||
		   (errno != ENETUNREACH && errno != ENODEV);
}

static int datagram_send(struct carrier *carrier, struct query *query)
{
	struct datagram *datagram = (struct datagram *)carrier;
	struct port *port;

	change_port(datagram);
	ids_take(datagram->ids, query);
	port = datagram->current;
	if (!send_from(port, query)) {
		port->used = LIMIT_PLAIN_PER_SOCKET;
		change_port(datagram);
		if (port != datagram->current)
			(void)send_from(datagram->current, query);
	}
	port = datagram->current;
	query->handle = port - datagram->ports;
	port->used++;
	port->outstanding++;
	return 0;
}

static void datagram_flush(struct carrier *carrier)
{
}

static void datagram_forget(struct carrier *carrier, struct query *query)
{
	struct datagram *datagram = (struct datagram *)carrier;

	if (!leave_stream(datagram, query))
		settle(datagram, query);
	else if (datagram->stream->open)
		datagram->stream->ops->forget(datagram->stream, query);
}

int datagram_new(
	const struct carrier_config *config, struct carrier **ret, char reason[static LIMIT_ERROR_TEXT])
{
	static const struct carrier_ops ops = {
		.send = datagram_send,
		.flush = datagram_flush,
		.forget = datagram_forget,
		.free = datagram_free,
	};
	struct datagram *datagram = calloc(1, sizeof(*datagram));
	int result = -EADDRNOTAVAIL;

	if (!datagram)
		return -ENOMEM;
	datagram->carrier.ops = &ops;
	datagram->carrier.events = config->events;
	datagram->carrier.userdata = config->userdata;
	datagram->carrier.open = true;
	datagram->carrier.lossy = true;
	datagram->config = *config;
	for (size_t i = 0; i < LIMIT_PLAIN_SOCKETS; i++)
		datagram->ports[i] = (struct port){.datagram = datagram, .fd = -1};
	if (ids_new(&datagram->ids) < 0) {
		datagram_free(&datagram->carrier);
		return -ENOMEM;
	}
	/* Of several addresses the first that there is a virtual IP for, another one
	   with each attempt. */
	for (size_t i = 0; i < config->server->n_addresses && !datagram->current; i++) {
		datagram->address =
			&config->server->addresses[(i + config->attempt) % config->server->n_addresses];
		result = port_open(datagram, &datagram->ports[0]);
	}
	if (!datagram->current) {
		snprintf(reason, LIMIT_ERROR_TEXT, "%s",
			result == -EADDRNOTAVAIL ? "there is no virtual IP to reach it from"
									 : strerror(-result));
		datagram_free(&datagram->carrier);
		return result;
	}
	*ret = &datagram->carrier;
	return 0;
}
