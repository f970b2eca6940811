/*
 * DNS messages with a length of two octets before each, pipelined over one connection: DoT (RFC
 * 7858) and, without TLS, what is left of plain DNS when a datagram was too small (RFC 7766). All
 * queries of a batch leave in one write, all answers that have arrived are read at once.
 */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "framing.h"
#include "ids.h"

enum { IN_SIZE = 128 * 1024 };

struct stream {
	struct carrier carrier;
	struct channel *channel;
	struct ids *ids;
	bool full; /* a query was turned away */
	size_t out_length, in_length;
	uint8_t out[LIMIT_STREAM_OUT];
	uint8_t in[IN_SIZE]; /* holds the longest message and what came with it */
};

static void stream_free(struct carrier *carrier)
{
	struct stream *stream = (struct stream *)carrier;

	channel_free(stream->channel);
	ids_free(stream->ids);
	free(stream);
}

static void stream_flush(struct carrier *carrier)
{
	struct stream *stream = (struct stream *)carrier;
	size_t written = 0;

	while (written < stream->out_length) {
		ssize_t n =
			channel_write(stream->channel, stream->out + written, stream->out_length - written);

		if (n < 0)
			break;
		written += n;
	}
	stream->out_length -= written;
	memmove(stream->out, stream->out + written, stream->out_length);
}

static int stream_send(struct carrier *carrier, struct query *query)
{
	struct stream *stream = (struct stream *)carrier;
	uint8_t *out;

	if (stream->out_length + 2 + query->length > sizeof(stream->out)) {
		stream->full = true;
		return -EAGAIN;
	}
	ids_take(stream->ids, query);
	out = stream->out + stream->out_length;
	dns_put16(out, query->length);
	memcpy(out + 2, query->message, query->length);
	dns_put16(out + 2, query->id);
	stream->out_length += 2 + query->length;
	return 0;
}

static void stream_forget(struct carrier *carrier, struct query *query)
{
	ids_drop(((struct stream *)carrier)->ids, query);
}

static void on_message(uint8_t *message, size_t length, void *userdata)
{
	struct stream *stream = userdata;
	struct carrier *carrier = &stream->carrier;
	struct dns_message parsed;
	struct query *query;

	if (dns_read(message, length, &parsed) < 0)
		return;
	query = ids_match(stream->ids, message, &parsed);
	if (!query)
		return;
	ids_drop(stream->ids, query);
	carrier->events->answer(carrier, query, message, length, &parsed, carrier->userdata);
}

static void on_opened(struct channel *channel, void *userdata)
{
	struct stream *stream = userdata;
	struct carrier *carrier = &stream->carrier;

	carrier->open = true;
	carrier->tls_version = channel_tls_version(channel);
	carrier->handshake_usec = channel_handshake_usec(channel);
	carrier->events->ready(carrier, carrier->userdata);
}

static void on_writable(struct channel *channel, void *userdata)
{
	struct stream *stream = userdata;
	struct carrier *carrier = &stream->carrier;

	stream_flush(carrier);
	if (stream->full) {
		stream->full = false;
		carrier->events->ready(carrier, carrier->userdata);
	}
}

static void on_readable(struct channel *channel, void *userdata)
{
	struct stream *stream = userdata;
	struct carrier *carrier = &stream->carrier;
	ssize_t n;

	do {
		size_t start = 0;

		do {
			n = channel_read(channel, stream->in + stream->in_length, IN_SIZE - stream->in_length);
			if (n < 0)
				break;
			stream->in_length += n;
			start +=
				framing_read(stream->in + start, stream->in_length - start, on_message, stream);
		} while (stream->in_length < IN_SIZE && channel_pending(channel));

		/* Half of the buffer takes the longest message, so there is room again afterwards. */
		carrier->events->idle(carrier, carrier->userdata);
		stream->in_length -= start;
		memmove(stream->in, stream->in + start, stream->in_length);
	} while (n >= 0 && channel_pending(channel));

	if (n < 0 && n != -EAGAIN)
		carrier->events->closed(carrier, false, NULL, carrier->userdata);
	else if (ids_used(stream->ids) > 0)
		channel_acknowledge(channel);
}

static void on_closed(struct channel *channel, bool final, const char *reason, void *userdata)
{
	struct stream *stream = userdata;

	stream->carrier.events->closed(&stream->carrier, final, reason, stream->carrier.userdata);
}

int stream_new(
	const struct carrier_config *config, struct carrier **ret, char reason[static LIMIT_ERROR_TEXT])
{
	static const struct carrier_ops ops = {
		.send = stream_send,
		.flush = stream_flush,
		.forget = stream_forget,
		.free = stream_free,
	};
	static const struct channel_events events = {
		.opened = on_opened,
		.readable = on_readable,
		.writable = on_writable,
		.closed = on_closed,
	};
	bool secure = config->server->transport != TRANSPORT_PLAIN;
	struct stream *stream = malloc(sizeof(*stream));
	int result;

	if (!stream)
		return -ENOMEM;
	/* The buffers stay untouched, and so unbacked by memory, until they are needed. */
	memset(stream, 0, offsetof(struct stream, out));
	stream->carrier.ops = &ops;
	stream->carrier.events = config->events;
	stream->carrier.userdata = config->userdata;
	if (secure)
		stream->carrier.authenticated_by = config->server->n_pins > 0 ? "digest" : "certificate";
	result = ids_new(&stream->ids);
	if (result >= 0)
		result = channel_open(
			config, secure ? "dot" : NULL, false, &events, stream, &stream->channel, reason);
	if (result < 0) {
		stream_free(&stream->carrier);
		return result;
	}
	*ret = &stream->carrier;
	return 0;
}
