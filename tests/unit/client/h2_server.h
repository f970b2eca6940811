/*
 * The server's side of DoH for the tests, octets in and octets out: answers every query with
 * itself, or as a server should not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum h2_manner {
	H2_PROPER,
	H2_SILENT,
	H2_STATUS,      /* 503 */
	H2_TYPE,        /* text/html */
	H2_TOO_LONG,    /* 65,536 octets */
	H2_HUGE,        /* 65,535 octets */
	H2_RESETS,      /* every stream, with an error */
	H2_REFUSES,     /* the first `times` streams: not looked at */
	H2_LEAVES,      /* GOAWAY in place of the first answer, `times` times */
	H2_DRAINS,      /* GOAWAY with the last of H2_BATCH requests, of which it answers the others */
	H2_REVERSED,    /* H2_BATCH requests at a time, the last first */
	H2_FORGES,      /* the answer to another question */
	H2_EARLY_HINTS, /* 103 before 200 */
};

enum { H2_BATCH = 3 };

struct h2_server;

struct h2_server_config {
	enum h2_manner manner;
	unsigned *times;      /* shared by connections */
	unsigned max_streams; /* 0: 100 */
};

struct h2_seen {
	unsigned requests, most_at_a_time;
	bool post, path, authority, type, id_zero; /* as they should be, in the latest request */
};

struct h2_server *h2_server_new(const struct h2_server_config *config);
void h2_server_free(struct h2_server *server);
bool h2_server_receive(struct h2_server *server, const uint8_t *data, size_t length);
size_t h2_server_output(struct h2_server *server, uint8_t *out, size_t size);
struct h2_seen h2_server_seen(const struct h2_server *server);
