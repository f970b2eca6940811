/*
 * INTERNAL_ENC_DNS: see enc_dns.h.
 */
#include "enc_dns.h"

#include "name.h"
#include "refuse.h"

#define S_BIT 0x80

static int decode_reply(struct reader *reader, struct enc_dns *enc_dns, const char **ret_why)
{
	uint8_t n_addresses;
	int r;

	if (reader_u8(reader, &n_addresses) < 0)
		return refuse(ret_why, "the value is shorter than 2 octets");
	if (n_addresses == 0)
		return refuse(ret_why, "there is no address");
	if (reader_span(reader, (size_t)n_addresses * ENC_DNS_ADDRESS_LENGTH, &enc_dns->addresses) < 0)
		return refuse(ret_why, "the addresses are cut off");
	r = name_check(reader->left, NAME_HOST, ret_why);
	if (r < 0)
		return r;
	enc_dns->adn = name_without_dot(reader->left);
	return 0;
}

int enc_dns_decode(
	enum wire_message message, struct span value, struct enc_dns *ret, const char **ret_why)
{
	struct reader reader = {value};
	struct enc_dns enc_dns = {0};
	uint8_t first;
	int r;

	if (reader_u8(&reader, &first) < 0)
		return refuse(ret_why, "the value is empty");
	enc_dns.outside = (first & S_BIT) != 0;
	enc_dns.kind = first & ~S_BIT;
	if (enc_dns.kind != ENC_DNS_DOT && enc_dns.kind != ENC_DNS_DOH)
		return refuse(ret_why, "the type is neither DoT nor DoH");
	if (message == WIRE_REQUEST && reader.left.len > 0)
		return refuse(ret_why, "a request holds more than a type");
	if (message == WIRE_REPLY) {
		r = decode_reply(&reader, &enc_dns, ret_why);
		if (r < 0)
			return r;
	}
	*ret = enc_dns;
	return 0;
}

int enc_dns_encode(enum wire_message message, const struct enc_dns *enc_dns, uint8_t *data,
	size_t size, size_t *ret_len, const char **ret_why)
{
	struct writer writer = writer_of(data, size);
	struct enc_dns check;
	size_t len;
	int r;

	writer_u8(&writer, (uint8_t)((enc_dns->outside ? S_BIT : 0) | enc_dns->kind));
	if (message == WIRE_REPLY) {
		if (enc_dns->addresses.len % ENC_DNS_ADDRESS_LENGTH != 0)
			return refuse_to_send(ret_why, "an address is cut off");
		writer_length8(&writer, enc_dns->addresses.len / ENC_DNS_ADDRESS_LENGTH);
		writer_span(&writer, enc_dns->addresses);
		writer_span(&writer, name_without_dot(enc_dns->adn));
	}
	r = writer_finish(&writer, &len);
	if (r == -EMSGSIZE)
		return refuse_to_send(ret_why, "there are more than 255 addresses");
	if (r < 0)
		return r;
	if (enc_dns_decode(message, span_of(data, len), &check, ret_why) < 0)
		return -EINVAL;
	*ret_len = len;
	return 0;
}
