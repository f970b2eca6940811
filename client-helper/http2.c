#include "http2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <nghttp2/nghttp2.h>

#include "bounds.h"

enum {
	BODY_INLINE = 512,
	CHUNK = 32,
	CONNECTION_WINDOW = 4 * 1024 * 1024,
	AUTHORITY_SIZE = 256 + 6,
	LAST_STREAM = INT32_MAX - 4 * LIMIT_HTTP2_STREAMS, /* the numbers run out: time to leave */
};

/* One request and what has come of its response. */
struct exchange {
	struct exchange *next; /* spare or spent */
	struct query *query;   /* NULL: forgotten */
	int32_t stream;
	size_t size, sent; /* of the query */
	bool status_ok, type_ok, bad;
	size_t length;  /* of the body */
	uint8_t *grown; /* NULL: the body is in body */
	size_t grown_size;
	uint8_t body[BODY_INLINE];
};

struct http2 {
	nghttp2_session *session;
	const struct http2_events *events;
	void *userdata;
	bool leaving; /* the server has said GOAWAY, or the streams' numbers are used up */
	unsigned n_open;
	size_t unsent; /* octets of queries that were submitted */
	struct exchange *chunks[LIMIT_HTTP2_STREAMS / CHUNK];
	unsigned n_chunks;
	struct exchange *spare, *spent;
	const uint8_t *output; /* what nghttp2 has made and nobody has taken yet */
	size_t output_length;
	char authority[AUTHORITY_SIZE];
	char *path;
};

/* ---- exchanges ---- */

static void push(struct exchange **list, struct exchange *exchange)
{
	exchange->next = *list;
	*list = exchange;
}

static struct exchange *exchange_get(struct http2 *http2)
{
	struct exchange *exchange;

	if (!http2->spare && http2->n_chunks < LIMIT_HTTP2_STREAMS / CHUNK) {
		struct exchange *chunk = calloc(CHUNK, sizeof(*chunk));

		if (!chunk)
			return NULL;
		http2->chunks[http2->n_chunks++] = chunk;
		for (unsigned i = 0; i < CHUNK; i++)
			push(&http2->spare, &chunk[i]);
	}
	exchange = http2->spare;
	if (!exchange)
		return NULL;
	http2->spare = exchange->next;
	memset(exchange, 0, offsetof(struct exchange, body));
	http2->n_open++;
	return exchange;
}

static void exchange_end(struct http2 *http2, struct exchange *exchange)
{
	http2->n_open--;
	http2->unsent -= exchange->size - exchange->sent;
	exchange->query = NULL;
	push(&http2->spent, exchange);
}

void http2_recycle(struct http2 *http2)
{
	struct exchange *exchange;

	while ((exchange = http2->spent)) {
		http2->spent = exchange->next;
		free(exchange->grown);
		exchange->grown = NULL;
		push(&http2->spare, exchange);
	}
}

static bool exchange_append(struct exchange *exchange, const uint8_t *data, size_t length)
{
	size_t needed = exchange->length + length;
	uint8_t *body = exchange->grown ? exchange->grown : exchange->body;

	if (needed > LIMIT_MESSAGE)
		return false;
	if (needed > BODY_INLINE && needed > exchange->grown_size) {
		size_t size = 2 * needed < LIMIT_MESSAGE ? 2 * needed : LIMIT_MESSAGE;
		uint8_t *grown = realloc(exchange->grown, size);

		if (!grown)
			return false;
		if (!exchange->grown)
			memcpy(grown, exchange->body, exchange->length);
		exchange->grown = body = grown;
		exchange->grown_size = size;
	}
	memcpy(body + exchange->length, data, length);
	exchange->length = needed;
	return true;
}

/* ---- what nghttp2 tells ---- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags, void *userdata)
{
	static const char type[] = "application/dns-message";
	const size_t type_length = sizeof(type) - 1;
	struct exchange *exchange = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	if (!exchange)
		return 0;
	if (name_length == 7 && memcmp(name, ":status", 7) == 0)
		exchange->status_ok = value_length == 3 && memcmp(value, "200", 3) == 0;
	else if (name_length == 12 && memcmp(name, "content-type", 12) == 0)
		exchange->type_ok =
			value_length >= type_length &&
			strncasecmp((const char *)value, type, type_length) == 0 &&
			(value_length == type_length || value[type_length] == ';' || value[type_length] == ' ');
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
	size_t length, void *userdata)
{
	struct exchange *exchange = nghttp2_session_get_stream_user_data(session, stream);

	if (!exchange || exchange->bad || exchange_append(exchange, data, length))
		return 0;
	exchange->bad = true;
	(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
	return 0;
}

static void leave(struct http2 *http2)
{
	if (http2->leaving)
		return;
	http2->leaving = true;
	http2->events->leaving(http2->userdata);
}

/* nghttp2 calls this before it closes the streams that the server will not look at. */
static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *userdata)
{
	if (frame->hd.type == NGHTTP2_GOAWAY)
		leave(userdata);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *userdata)
{
	struct http2 *http2 = userdata;
	struct exchange *exchange = nghttp2_session_get_stream_user_data(session, stream);
	struct query *query;
	bool again;

	if (!exchange)
		return 0;
	query = exchange->query;
	again = error == NGHTTP2_REFUSED_STREAM || exchange->sent == 0;
	exchange_end(http2, exchange);
	if (!query)
		return 0;
	if (error == NGHTTP2_NO_ERROR && exchange->status_ok && exchange->type_ok && !exchange->bad)
		http2->events->answer(query, exchange->grown ? exchange->grown : exchange->body,
			exchange->length, http2->userdata);
	else
		http2->events->refused(query, again, http2->userdata);
	return 0;
}

static ssize_t on_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size,
	uint32_t *flags, nghttp2_data_source *source, void *userdata)
{
	struct http2 *http2 = userdata;
	struct exchange *exchange = source->ptr;
	size_t left;

	if (!exchange->query)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	left = exchange->size - exchange->sent;
	if (left > size)
		left = size;
	else
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	memcpy(buffer, exchange->query->message + exchange->sent, left);
	exchange->sent += left;
	http2->unsent -= left;
	return left;
}

/* nghttp2 starves a body of which the window has let only a part through, as long as there are
   whole ones to send. */
static bool window_has_room(const struct http2 *http2, size_t size)
{
	int32_t window = nghttp2_session_get_remote_window_size(http2->session);

	return window > 0 && http2->unsent + size <= (size_t)window;
}

/* ---- the outside ---- */

int http2_submit(struct http2 *http2, struct query *query)
{
	static const uint8_t flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
	char length[8];
	int digits = snprintf(length, sizeof(length), "%u", query->length);
#define HEADER(name, value, n, f)                                                                  \
	{                                                                                              \
		(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, (n), (f)                          \
	}
	const nghttp2_nv headers[] = {
		HEADER(":method", "POST", 4, flags),
		HEADER(":scheme", "https", 5, flags),
		HEADER(":authority", http2->authority, strlen(http2->authority), flags),
		HEADER(":path", http2->path, strlen(http2->path), flags),
		HEADER("accept", "application/dns-message", 23, flags),
		HEADER("content-type", "application/dns-message", 23, flags),
		HEADER("content-length", length, (size_t)digits, NGHTTP2_NV_FLAG_NO_COPY_NAME),
	};
#undef HEADER
	nghttp2_data_provider body = {.read_callback = on_body};
	struct exchange *exchange;
	uint32_t allowed = nghttp2_session_get_remote_settings(
		http2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	if (http2->leaving || http2->n_open >= allowed || http2->n_open >= LIMIT_HTTP2_STREAMS ||
		!window_has_room(http2, query->length))
		return -EAGAIN;
	exchange = exchange_get(http2);
	if (!exchange)
		return -EAGAIN;
	body.source.ptr = exchange;
	exchange->query = query;
	exchange->size = query->length;
	http2->unsent += query->length;
	exchange->stream = nghttp2_submit_request(
		http2->session, NULL, headers, sizeof(headers) / sizeof(*headers), &body, exchange);
	if (exchange->stream < 0) {
		exchange_end(http2, exchange);
		return -EAGAIN;
	}
	query->handle = (uintptr_t)exchange;
	return 0;
}

void http2_forget(struct http2 *http2, struct query *query)
{
	struct exchange *exchange = (struct exchange *)(uintptr_t)query->handle;

	exchange->query = NULL;
	(void)nghttp2_submit_rst_stream(
		http2->session, NGHTTP2_FLAG_NONE, exchange->stream, NGHTTP2_CANCEL);
}

int http2_receive(struct http2 *http2, const uint8_t *data, size_t length)
{
	ssize_t n = nghttp2_session_mem_recv(http2->session, data, length);

	if (n < 0 || (size_t)n != length)
		return -EPROTO;
	if (nghttp2_session_get_next_stream_id(http2->session) >= LAST_STREAM)
		leave(http2);
	return 0;
}

bool http2_left(const struct http2 *http2)
{
	return http2->leaving && http2->n_open == 0;
}

bool http2_ended(const struct http2 *http2)
{
	return http2->output_length == 0 && !nghttp2_session_want_read(http2->session) &&
		   !nghttp2_session_want_write(http2->session);
}

size_t http2_output(struct http2 *http2, uint8_t *out, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		size_t n;

		if (http2->output_length == 0) {
			ssize_t made = nghttp2_session_mem_send(http2->session, &http2->output);

			if (made <= 0)
				break;
			http2->output_length = made;
		}
		n = http2->output_length < size - filled ? http2->output_length : size - filled;
		memcpy(out + filled, http2->output, n);
		http2->output += n;
		http2->output_length -= n;
		filled += n;
	}
	return filled;
}

struct http2 *http2_free(struct http2 *http2)
{
	if (!http2)
		return NULL;
	nghttp2_session_del(http2->session);
	for (unsigned i = 0; i < http2->n_chunks; i++) {
		for (unsigned j = 0; j < CHUNK; j++)
			free(http2->chunks[i][j].grown);
		free(http2->chunks[i]);
	}
	free(http2->path);
	free(http2);
	return NULL;
}

static int open_session(struct http2 *http2)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		/* One more than the longest answer, so that a longer one shows. */
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_MESSAGE + 1},
	};
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *options = NULL;
	int result = nghttp2_session_callbacks_new(&callbacks);

	if (result != 0)
		return -ENOMEM;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	result = nghttp2_option_new(&options);
	if (result == 0) {
		nghttp2_option_set_no_closed_streams(options, 1);
		result = nghttp2_session_client_new2(&http2->session, callbacks, http2, options);
	}
	if (result == 0)
		result = nghttp2_submit_settings(
			http2->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(*settings));
	if (result == 0)
		result = nghttp2_session_set_local_window_size(
			http2->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(callbacks);
	return result == 0 ? 0 : -ENOMEM;
}

int http2_new(const char *adn, uint16_t port, const char *path, const struct http2_events *events,
	void *userdata, struct http2 **ret)
{
	struct http2 *http2 = calloc(1, sizeof(*http2));

	if (!http2)
		return -ENOMEM;
	http2->events = events;
	http2->userdata = userdata;
	http2->path = strdup(path);
	if (port == 443)
		snprintf(http2->authority, sizeof(http2->authority), "%s", adn);
	else
		snprintf(http2->authority, sizeof(http2->authority), "%s:%u", adn, port);
	if (!http2->path || open_session(http2) < 0) {
		http2_free(http2);
		return -ENOMEM;
	}
	*ret = http2;
	return 0;
}
