/*
 * DoH (RFC 8484): the carrier that joins http2.c's streams with a TLS connection.
 */
#include "transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "http2.h"
#include "wire/dohpath.h"

enum { IN_SIZE = 32 * 1024 };

struct doh {
	struct carrier carrier;
	struct channel *channel;
	struct http2 *http2;
	size_t out_length;
	uint8_t out[LIMIT_STREAM_OUT];
	uint8_t in[IN_SIZE];
};

static void doh_free(struct carrier *carrier)
{
	struct doh *doh = (struct doh *)carrier;

	channel_free(doh->channel);
	http2_free(doh->http2);
	free(doh);
}

/* Everything that there is to send, in as few writes as possible. */
static void doh_flush(struct carrier *carrier)
{
	struct doh *doh = (struct doh *)carrier;

	for (;;) {
		size_t written = 0;

		doh->out_length += http2_output(
			doh->http2, doh->out + doh->out_length, sizeof(doh->out) - doh->out_length);
		if (doh->out_length == 0)
			return;
		while (written < doh->out_length) {
			ssize_t n = channel_write(doh->channel, doh->out + written, doh->out_length - written);

			if (n < 0)
				break;
			written += n;
		}
		doh->out_length -= written;
		memmove(doh->out, doh->out + written, doh->out_length);
		if (doh->out_length > 0)
			return;
	}
}

static int doh_send(struct carrier *carrier, struct query *query)
{
	/* What waits for the socket is bounded by the streams that are open; answers make room. */
	return http2_submit(((struct doh *)carrier)->http2, query);
}

static void doh_forget(struct carrier *carrier, struct query *query)
{
	http2_forget(((struct doh *)carrier)->http2, query);
}

static void on_answer(struct query *query, uint8_t *body, size_t length, void *userdata)
{
	struct carrier *carrier = userdata;
	struct dns_message parsed;

	if (dns_read(body, length, &parsed) < 0 || !parsed.response ||
		parsed.question_length != query->question_length ||
		!dns_same_question(
			body + DNS_HEADER_SIZE, query->message + DNS_HEADER_SIZE, query->question_length))
		carrier->events->refused(carrier, query, false, carrier->userdata);
	else
		carrier->events->answer(carrier, query, body, length, &parsed, carrier->userdata);
}

static void on_refused(struct query *query, bool again, void *userdata)
{
	struct carrier *carrier = userdata;

	carrier->events->refused(carrier, query, again, carrier->userdata);
}

static void on_leaving(void *userdata)
{
	struct carrier *carrier = userdata;

	carrier->events->leaving(carrier, carrier->userdata);
}

static void on_opened(struct channel *channel, void *userdata)
{
	struct carrier *carrier = userdata;

	carrier->open = true;
	carrier->tls_version = channel_tls_version(channel);
	carrier->handshake_usec = channel_handshake_usec(channel);
	carrier->events->ready(carrier, carrier->userdata);
	doh_flush(carrier);
}

static void on_writable(struct channel *channel, void *userdata)
{
	doh_flush(userdata);
}

static void on_closed(struct channel *channel, bool final, const char *reason, void *userdata)
{
	struct carrier *carrier = userdata;

	carrier->events->closed(carrier, final, reason, carrier->userdata);
}

static void on_readable(struct channel *channel, void *userdata)
{
	struct doh *doh = userdata;
	struct carrier *carrier = &doh->carrier;
	int result = 0;
	ssize_t n;

	do {
		n = channel_read(channel, doh->in, sizeof(doh->in));
		if (n > 0)
			result = http2_receive(doh->http2, doh->in, n);
	} while (n > 0 && result == 0 && channel_pending(channel));

	carrier->events->idle(carrier, carrier->userdata);
	http2_recycle(doh->http2);
	doh_flush(carrier);
	if (http2_left(doh->http2) || (n < 0 && n != -EAGAIN))
		on_closed(channel, false, NULL, doh);
	else if (result < 0 || http2_ended(doh->http2))
		on_closed(channel, false, "the server does not speak HTTP/2 as it should", doh);
}

int doh_new(
	const struct carrier_config *config, struct carrier **ret, char reason[static LIMIT_ERROR_TEXT])
{
	static const struct carrier_ops ops = {
		.send = doh_send,
		.flush = doh_flush,
		.forget = doh_forget,
		.free = doh_free,
	};
	static const struct channel_events channel_events = {
		.opened = on_opened,
		.readable = on_readable,
		.writable = on_writable,
		.closed = on_closed,
	};
	static const struct http2_events http2_events = {
		.answer = on_answer,
		.refused = on_refused,
		.leaving = on_leaving,
	};
	const struct server *server = config->server;
	char path[DOHPATH_SIZE];
	struct doh *doh;
	int result;

	if (!server->dohpath || dohpath_expand_for_post(span_from_string(server->dohpath), path) < 0) {
		snprintf(reason, LIMIT_ERROR_TEXT, "the path for DoH cannot be used");
		return -EINVAL;
	}
	doh = malloc(sizeof(*doh));
	if (!doh)
		return -ENOMEM;
	/* The buffers stay untouched, and so unbacked by memory, until they are needed. */
	memset(doh, 0, offsetof(struct doh, out));
	doh->carrier.ops = &ops;
	doh->carrier.events = config->events;
	doh->carrier.userdata = config->userdata;
	doh->carrier.authenticated_by = server->n_pins > 0 ? "digest" : "certificate";
	result = http2_new(server->adn, server->port, path, &http2_events, doh, &doh->http2);
	if (result >= 0)
		result = channel_open(config, "h2", true, &channel_events, doh, &doh->channel, reason);
	if (result < 0) {
		doh_free(&doh->carrier);
		return result;
	}
	*ret = &doh->carrier;
	return 0;
}
