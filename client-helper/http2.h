/*
 * DNS over HTTPS as HTTP/2 streams (RFC 8484): a POST of application/dns-message per query, many at
 * a time. nghttp2 behind one narrow header; octets in, octets out, no sockets.
 */
#pragma once

#include "query.h"

struct http2;

struct http2_events {
	/* The body that came for a query, which may be changed and stays until http2_recycle. */
	void (*answer)(struct query *query, uint8_t *body, size_t length, void *userdata);
	/* The query gets no answer here. again: the server has not looked at it (RFC
	   9113 section 8.7). */
	void (*refused)(struct query *query, bool again, void *userdata);
	/* The server takes no more queries here (GOAWAY). It still answers those that it has begun
	   with; refused follows for the rest. Sent once. */
	void (*leaving)(void *userdata);
};

/* adn and port make the authority, path is what the URI template expanded to; both are copied. 0 or
 * -errno. */
int http2_new(const char *adn, uint16_t port, const char *path, const struct http2_events *events,
	void *userdata, struct http2 **ret);
struct http2 *http2_free(struct http2 *http2); /* without a word about the queries; takes NULL */

/* -EAGAIN: as many streams as the server allows are open, its window is full, or it is leaving. */
int http2_submit(struct http2 *http2, struct query *query);
void http2_forget(struct http2 *http2, struct query *query);

/* Takes all of data. 0; -EPROTO: this is no HTTP/2. */
int http2_receive(struct http2 *http2, const uint8_t *data, size_t length);

/* The server is leaving, and there is nothing left that it could answer. */
bool http2_left(const struct http2 *http2);

/* An error has ended the session, and the server has been told: nothing more will come of it. */
bool http2_ended(const struct http2 *http2);

/* Fills out with what is to be sent, as much as there is and fits. Returns the octets. */
size_t http2_output(struct http2 *http2, uint8_t *out, size_t size);

/* The bodies handed out are needed no more. */
void http2_recycle(struct http2 *http2);
