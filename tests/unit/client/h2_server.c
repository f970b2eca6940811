#include "h2_server.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <nghttp2/nghttp2.h>

struct h2_server {
	struct h2_server_config config;
	nghttp2_session *session;
	struct h2_seen seen;
	unsigned open;
	int32_t held[H2_BATCH]; /* streams that are answered together */
	unsigned n_held;
	const uint8_t *output;
	size_t output_length;
};

struct body {
	uint8_t data[70000];
	size_t length, sent;
};

#define IS(a, n, literal) ((n) == sizeof(literal) - 1 && memcmp((a), (literal), (n)) == 0)
#define HEADER(name, value)                                                                        \
	{                                                                                              \
		(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0              \
	}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *userdata)
{
	struct h2_server *server = userdata;

	nghttp2_session_set_stream_user_data(
		session, frame->hd.stream_id, calloc(1, sizeof(struct body)));
	server->seen = (struct h2_seen){
		.requests = server->seen.requests + 1,
		.most_at_a_time = server->seen.most_at_a_time,
	};
	server->open++;
	if (server->open > server->seen.most_at_a_time)
		server->seen.most_at_a_time = server->open;
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t n, const uint8_t *value, size_t length, uint8_t flags, void *userdata)
{
	struct h2_seen *seen = &((struct h2_server *)userdata)->seen;

	if (IS(name, n, ":method"))
		seen->post = IS(value, length, "POST");
	if (IS(name, n, ":path"))
		seen->path = IS(value, length, "/dns-query");
	if (IS(name, n, ":authority"))
		seen->authority = length >= 16 && memcmp(value, "dns.corp.example", 16) == 0;
	if (IS(name, n, "content-type"))
		seen->type = IS(value, length, "application/dns-message");
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
	size_t length, void *userdata)
{
	struct body *body = nghttp2_session_get_stream_user_data(session, stream);

	memcpy(body->data + body->length, data, length);
	body->length += length;
	return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size,
	uint32_t *flags, nghttp2_data_source *source, void *userdata)
{
	struct body *body = source->ptr;
	size_t n = body->length - body->sent < size ? body->length - body->sent : size;

	memcpy(buffer, body->data + body->sent, n);
	body->sent += n;
	if (body->sent == body->length)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

static void respond(struct h2_server *server, int32_t stream, struct body *body)
{
	static const nghttp2_nv good[] = {
		HEADER(":status", "200"),
		HEADER("content-type", "application/dns-message"),
	};
	static const nghttp2_nv busy[] = {
		HEADER(":status", "503"),
		HEADER("content-type", "application/dns-message"),
	};
	static const nghttp2_nv html[] = {
		HEADER(":status", "200"),
		HEADER("content-type", "text/html"),
	};
	static const nghttp2_nv hints[] = {HEADER(":status", "103")};
	nghttp2_data_provider provider = {.source.ptr = body, .read_callback = on_read};
	const nghttp2_nv *headers = good;

	if (server->config.manner == H2_STATUS)
		headers = busy;
	if (server->config.manner == H2_TYPE)
		headers = html;
	if (server->config.manner == H2_EARLY_HINTS)
		nghttp2_submit_headers(server->session, NGHTTP2_FLAG_NONE, stream, NULL, hints, 1, NULL);
	assert_int_equal(nghttp2_submit_response(server->session, stream, headers, 2, &provider), 0);
}

/* Puts an option of a kind that nobody knows in place of the padding, which ends the query. */
static void inflate(struct body *body, size_t length)
{
	size_t opt = body->length;

	while (memcmp(body->data + --opt, "\0\0\x29", 3) != 0)
		;
	body->data[opt + 9] = (length - opt - 11) >> 8;
	body->data[opt + 10] = (length - opt - 11) & 0xff;
	body->data[opt + 11] = 0xfd;
	body->data[opt + 12] = 0xe9;
	body->data[opt + 13] = (length - opt - 15) >> 8;
	body->data[opt + 14] = (length - opt - 15) & 0xff;
	memset(body->data + opt + 15, 0, length - opt - 15);
	body->length = length;
}

/* True: it was the last one of a batch. */
static bool hold(struct h2_server *server, int32_t stream)
{
	server->held[server->n_held++] = stream;
	return server->n_held == H2_BATCH;
}

static void respond_held(struct h2_server *server)
{
	while (server->n_held > 0) {
		int32_t stream = server->held[--server->n_held];

		respond(server, stream, nghttp2_session_get_stream_user_data(server->session, stream));
	}
}

static void on_request(struct h2_server *server, int32_t stream)
{
	struct body *body = nghttp2_session_get_stream_user_data(server->session, stream);

	server->seen.id_zero = body->data[0] == 0 && body->data[1] == 0;
	body->data[2] |= 0x80;
	switch (server->config.manner) {
	case H2_SILENT:
		return;
	case H2_RESETS:
		nghttp2_submit_rst_stream(server->session, 0, stream, NGHTTP2_INTERNAL_ERROR);
		return;
	case H2_REFUSES:
		if (*server->config.times == 0)
			break;
		--*server->config.times;
		nghttp2_submit_rst_stream(server->session, 0, stream, NGHTTP2_REFUSED_STREAM);
		return;
	case H2_LEAVES:
		if (*server->config.times == 0)
			break;
		--*server->config.times;
		nghttp2_submit_goaway(server->session, 0, 0, NGHTTP2_NO_ERROR, NULL, 0);
		return;
	case H2_DRAINS:
		if (*server->config.times == 0)
			break;
		if (!hold(server, stream))
			return;
		--*server->config.times;
		server->n_held--;
		nghttp2_submit_goaway(
			server->session, 0, server->held[server->n_held - 1], NGHTTP2_NO_ERROR, NULL, 0);
		respond_held(server);
		return;
	case H2_REVERSED:
		if (hold(server, stream))
			respond_held(server);
		return;
	case H2_FORGES:
		body->data[13] ^= 1; /* a letter of the name */
		break;
	case H2_TOO_LONG:
		inflate(body, 65536);
		break;
	case H2_HUGE:
		inflate(body, 65535);
		break;
	default:
		break;
	}
	respond(server, stream, body);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *userdata)
{
	if (frame->hd.type == NGHTTP2_DATA && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		on_request(userdata, frame->hd.stream_id);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *userdata)
{
	((struct h2_server *)userdata)->open--;
	free(nghttp2_session_get_stream_user_data(session, stream));
	nghttp2_session_set_stream_user_data(session, stream, NULL);
	return 0;
}

struct h2_server *h2_server_new(const struct h2_server_config *config)
{
	struct h2_server *server = calloc(1, sizeof(*server));
	nghttp2_session_callbacks *callbacks;
	nghttp2_settings_entry settings = {
		NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		config->max_streams ? config->max_streams : 100,
	};

	assert_non_null(server);
	server->config = *config;
	assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	assert_int_equal(nghttp2_session_server_new(&server->session, callbacks, server), 0);
	nghttp2_session_callbacks_del(callbacks);
	assert_int_equal(nghttp2_submit_settings(server->session, 0, &settings, 1), 0);
	return server;
}

void h2_server_free(struct h2_server *server)
{
	for (int32_t stream = 1; stream < 4 * (int32_t)server->seen.requests + 2; stream += 2)
		free(nghttp2_session_get_stream_user_data(server->session, stream));
	nghttp2_session_del(server->session);
	free(server);
}

bool h2_server_receive(struct h2_server *server, const uint8_t *data, size_t length)
{
	return nghttp2_session_mem_recv(server->session, data, length) == (ssize_t)length;
}

size_t h2_server_output(struct h2_server *server, uint8_t *out, size_t size)
{
	size_t n;

	if (server->output_length == 0) {
		ssize_t made = nghttp2_session_mem_send(server->session, &server->output);

		if (made <= 0)
			return 0;
		server->output_length = made;
	}
	n = server->output_length < size ? server->output_length : size;
	memcpy(out, server->output, n);
	server->output += n;
	server->output_length -= n;
	return n;
}

struct h2_seen h2_server_seen(const struct h2_server *server)
{
	return server->seen;
}
