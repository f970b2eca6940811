/*
 * The one reader and the one writer of all wire formats. Integers are big-endian.
 *
 * Reader: 0 <= bytes taken <= length, always; a read that would go beyond fails and takes
 * nothing. Writer: an overflow sticks, so that a run of writes is checked once, by
 * writer_finish().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Octets that belong to somebody else. data may be NULL where len is 0. */
struct span {
	const uint8_t *data;
	size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){.data = data, .len = len};
}

/* Without the NUL. */
static inline struct span span_from_string(const char *text)
{
	return span_of(text, strlen(text));
}

bool span_equal(struct span a, struct span b);

struct reader {
	struct span left; /* what has not been read yet */
};

/* Each 0, or -EBADMSG where fewer octets are left; then nothing is read and *ret stays. */
int reader_u8(struct reader *reader, uint8_t *ret);
int reader_u16(struct reader *reader, uint16_t *ret);
int reader_span(struct reader *reader, size_t len, struct span *ret);

struct writer {
	uint8_t *data;
	size_t size;
	size_t len; /* written so far, <= size */
	int error;  /* 0; -ENOBUFS: beyond size; -EMSGSIZE: beyond what a length field holds */
};

static inline struct writer writer_of(uint8_t *data, size_t size)
{
	return (struct writer){.data = data, .size = size};
}

void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_span(struct writer *writer, struct span value);

/* A count or length that must fit its field, else -EMSGSIZE. */
void writer_length8(struct writer *writer, size_t value);
void writer_length16(struct writer *writer, size_t value);

/* 0 and the number of octets written, or the first error. */
int writer_finish(const struct writer *writer, size_t *ret_len);
