/*
 * INTERNAL_DNSSEC_TA: see trust_anchor.h.
 */
#include "trust_anchor.h"

#include "hex.h"
#include "refuse.h"

/* IANA's digest algorithms for DS records. */
uint8_t trust_anchor_digest_length(uint8_t digest_type)
{
	switch (digest_type) {
	case 1:
		return 20;
	case 2:
		return 32;
	case 4:
		return 48;
	default:
		return 0;
	}
}

int trust_anchor_decode(
	enum wire_message message, struct span value, struct trust_anchor *ret, const char **ret_why)
{
	struct reader reader = {value};
	struct trust_anchor anchor = {0};

	if (message == WIRE_REQUEST && value.len == 0) {
		*ret = (struct trust_anchor){.empty = true};
		return 0;
	}
	if (reader_u16(&reader, &anchor.key_tag) < 0 || reader_u8(&reader, &anchor.algorithm) < 0 ||
		reader_u8(&reader, &anchor.digest_type) < 0)
		return refuse(ret_why, "the value is shorter than 4 octets");
	anchor.digest_length = trust_anchor_digest_length(anchor.digest_type);
	if (anchor.digest_length == 0)
		return refuse(ret_why, "the digest type is not SHA-1, SHA-256 or SHA-384");
	if (reader.left.len == anchor.digest_length)
		memcpy(anchor.digest, reader.left.data, reader.left.len);
	else if (reader.left.len != 2u * anchor.digest_length)
		return refuse(ret_why, "the digest's length is not that of its type");
	else if (hex_decode(reader.left, anchor.digest, sizeof(anchor.digest)) < 0)
		return refuse(ret_why, "the digest is not in hex digits");
	*ret = anchor;
	return 0;
}

int trust_anchor_encode(enum wire_message message, const struct trust_anchor *anchor, uint8_t *data,
	size_t size, size_t *ret_len, const char **ret_why)
{
	struct writer writer = writer_of(data, size);
	char hex[2 * TRUST_ANCHOR_DIGEST_MAX];
	uint8_t length = trust_anchor_digest_length(anchor->digest_type);

	if (anchor->empty) {
		if (message == WIRE_REPLY)
			return refuse_to_send(ret_why, "a reply holds no trust anchor");
		return writer_finish(&writer, ret_len);
	}
	if (length == 0)
		return refuse_to_send(ret_why, "the digest type is not SHA-1, SHA-256 or SHA-384");
	if (anchor->digest_length != length)
		return refuse_to_send(ret_why, "the digest's length is not that of its type");
	hex_encode(span_of(anchor->digest, length), hex);
	writer_u16(&writer, anchor->key_tag);
	writer_u8(&writer, anchor->algorithm);
	writer_u8(&writer, anchor->digest_type);
	writer_span(&writer, span_of(hex, 2u * length));
	return writer_finish(&writer, ret_len);
}
