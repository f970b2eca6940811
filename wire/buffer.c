/*
 * The bounded reader and writer: see buffer.h.
 */
#include "buffer.h"

#include <errno.h>

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int reader_span(struct reader *reader, size_t len, struct span *ret)
{
	if (len > reader->left.len)
		return -EBADMSG;
	*ret = span_of(reader->left.data, len);
	if (len > 0)
		reader->left = span_of(reader->left.data + len, reader->left.len - len);
	return 0;
}

int reader_u8(struct reader *reader, uint8_t *ret)
{
	struct span octet;

	if (reader_span(reader, 1, &octet) < 0)
		return -EBADMSG;
	*ret = octet.data[0];
	return 0;
}

int reader_u16(struct reader *reader, uint16_t *ret)
{
	struct span octets;

	if (reader_span(reader, 2, &octets) < 0)
		return -EBADMSG;
	*ret = (uint16_t)(octets.data[0] << 8 | octets.data[1]);
	return 0;
}

void writer_span(struct writer *writer, struct span value)
{
	if (writer->error < 0)
		return;
	if (value.len > writer->size - writer->len) {
		writer->error = -ENOBUFS;
		return;
	}
	if (value.len > 0)
		memcpy(writer->data + writer->len, value.data, value.len);
	writer->len += value.len;
}

void writer_u8(struct writer *writer, uint8_t value)
{
	writer_span(writer, span_of(&value, 1));
}

void writer_u16(struct writer *writer, uint16_t value)
{
	const uint8_t octets[] = {value >> 8, value & 0xff};

	writer_span(writer, span_of(octets, sizeof(octets)));
}

void writer_length8(struct writer *writer, size_t value)
{
	if (value > UINT8_MAX && writer->error == 0)
		writer->error = -EMSGSIZE;
	writer_u8(writer, (uint8_t)value);
}

void writer_length16(struct writer *writer, size_t value)
{
	if (value > UINT16_MAX && writer->error == 0)
		writer->error = -EMSGSIZE;
	writer_u16(writer, (uint16_t)value);
}

int writer_finish(const struct writer *writer, size_t *ret_len)
{
	if (writer->error < 0)
		return writer->error;
	*ret_len = writer->len;
	return 0;
}
