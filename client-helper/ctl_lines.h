/*
 * The two verbs that work line by line, for who feeds them millions: what they make of one line,
 * and the pump that reads and writes them.
 *
 * decode: "TYPE request|reply HEX" becomes a JSON object, or {"error": "..."}.
 * encode: such an object with "message": "request" or "reply" becomes HEX, or "error: ...".
 *
 * Octets that have no character of their own in JSON (an alpn id may hold any) stand as U+0000 to
 * U+00FF, one for one.
 */
#pragma once

#include <stdio.h>
#include "wire/buffer.h"

/* A value of 65,535 octets in hex, and what may be around it; a longer line is refused whole. */
#define LINE_SIZE (256 * 1024)

/* Writes one line, whatever is in the other. 0 or -ENOMEM. */
typedef int (*line_writer_t)(struct span line, FILE *out);

int decode_line(struct span line, FILE *out);
int encode_line(struct span line, FILE *out);

/* Octets in hex, NUL-terminated; NULL where memory is short. */
char *lower_hex(struct span octets);

/* How each of the two says no. */
int decode_error(const char *why, FILE *out);
int encode_error(const char *why, FILE *out);

/*
 * Reads lines to the end of the file, the last one with or without a newline. Flushes before it has
 * to wait for more input, so that a program may ask and wait for each answer. too_long is called
 * for a line beyond LINE_SIZE. 0 or -errno of the reading, the writing, or of memory.
 */
int lines_run(int in, FILE *out, line_writer_t each, int (*too_long)(const char *why, FILE *out));
