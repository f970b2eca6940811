#include "ctl_lines.h"

#include <errno.h>
#include <stdlib.h>
#include "wire/ascii.h"
#include "wire/hex.h"
#include "ctl.h"
#include "util.h"

struct pump {
	char *data; /* LINE_SIZE octets: what was read and is no whole line yet */
	size_t length;
	bool skipping; /* the rest of a line that was too long */
};

char *lower_hex(struct span octets)
{
	char *hex = malloc(2 * octets.len + 1);

	if (!hex)
		return NULL;
	hex_encode(octets, hex);
	for (size_t i = 0; i < 2 * octets.len; i++)
		hex[i] = (char)ascii_to_lower((uint8_t)hex[i]);
	hex[2 * octets.len] = '\0';
	return hex;
}

/* Hands over the whole lines among what is there, and keeps the rest. */
static int hand_over(struct pump *pump, FILE *out, line_writer_t each)
{
	char *start = pump->data, *end = pump->data + pump->length, *newline;
	int r;

	while ((newline = memchr(start, '\n', end - start))) {
		r = pump->skipping ? 0 : each(span_of(start, newline - start), out);
		if (r < 0)
			return r;
		pump->skipping = false;
		start = newline + 1;
	}
	pump->length = end - start;
	memmove(pump->data, start, pump->length);
	return 0;
}

static int take(struct pump *pump, int in, FILE *out)
{
	ssize_t n;

	if (fflush(out) != 0)
		return -errno;
	do {
		n = read(in, pump->data + pump->length, LINE_SIZE - pump->length);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	pump->length += (size_t)n;
	return n > 0;
}

static int run(struct pump *pump, int in, FILE *out, line_writer_t each,
	int (*too_long)(const char *why, FILE *out))
{
	int r, more;

	while ((more = take(pump, in, out)) > 0) {
		r = hand_over(pump, out, each);
		if (r < 0)
			return r;
		if (pump->length < LINE_SIZE)
			continue;
		r = pump->skipping ? 0 : too_long("the line is too long", out);
		if (r < 0)
			return r;
		pump->skipping = true;
		pump->length = 0;
	}
	if (more < 0)
		return more;
	r = pump->length > 0 && !pump->skipping ? each(span_of(pump->data, pump->length), out) : 0;
	if (r < 0)
		return r;
	return fflush(out) == 0 ? 0 : -errno;
}

int lines_run(int in, FILE *out, line_writer_t each, int (*too_long)(const char *why, FILE *out))
{
	cleanup_free char *data = malloc(LINE_SIZE);
	struct pump pump = {.data = data};

	return data ? run(&pump, in, out, each, too_long) : -ENOMEM;
}

static int run_verb(
	const char *verb, int argc, line_writer_t each, int (*too_long)(const char *why, FILE *out))
{
	int r;

	if (argc > 0) {
		fprintf(stderr, "encdnsctl: %s has no arguments, it reads lines on stdin\n", verb);
		return CTL_MISUSE;
	}
	r = lines_run(STDIN_FILENO, stdout, each, too_long);
	if (r < 0)
		fprintf(stderr, "encdnsctl: %s ends early: %s\n", verb, strerror(-r));
	return r < 0 ? CTL_NEGATIVE : CTL_FINE;
}

int ctl_decode(int argc, char *argv[])
{
	return run_verb("decode", argc, decode_line, decode_error);
}

int ctl_encode(int argc, char *argv[])
{
	return run_verb("encode", argc, encode_line, encode_error);
}
