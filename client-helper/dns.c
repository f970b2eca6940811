#include "dns.h"

#include <errno.h>
#include <string.h>

enum {
	FLAG_QR = 0x80, /* third octet */
	FLAG_AA = 0x04,
	FLAG_TC = 0x02,
	FLAG_RD = 0x01,
	FLAG_RA = 0x80, /* fourth octet */
	FLAG_CD = 0x10,

	TYPE_OPT = 41,
	CLASS_IN = 1,
	OPTION_PADDING = 12,
	OPTION_EXTENDED_ERROR = 15,

	RECORD_FIXED = 10, /* type, class, TTL and length of the data */
	OPTION_HEADER = 4,
	MAX_LABEL = 63,
};

/* position never passes end. */
struct reader {
	const uint8_t *message;
	size_t position, end;
};

static int skip(struct reader *reader, size_t n)
{
	if (n > reader->end - reader->position)
		return -EBADMSG;
	reader->position += n;
	return 0;
}

/* A compression pointer ends a name: where it points to does not matter to us. */
static int skip_name(struct reader *reader, bool may_point)
{
	size_t total = 0;

	for (;;) {
		uint8_t label;

		if (reader->position == reader->end)
			return -EBADMSG;
		label = reader->message[reader->position];
		if (label > MAX_LABEL)
			return may_point && (label & 0xc0) == 0xc0 ? skip(reader, 2) : -EBADMSG;
		total += 1 + (size_t)label;
		if (total > LIMIT_NAME || skip(reader, 1 + (size_t)label) < 0)
			return -EBADMSG;
		if (label == 0)
			return 0;
	}
}

static int read_question(struct reader *reader, struct dns_message *message)
{
	size_t start = reader->position;

	if (skip_name(reader, false) < 0 || skip(reader, 4) < 0)
		return -EBADMSG;
	message->question_length = reader->position - start;
	message->question_type = dns_get16(reader->message + reader->position - 4);
	return 0;
}

static int read_record(struct reader *reader, bool additional, struct dns_message *message)
{
	size_t start = reader->position;
	const uint8_t *fixed;

	if (skip_name(reader, true) < 0)
		return -EBADMSG;
	fixed = reader->message + reader->position;
	if (skip(reader, RECORD_FIXED) < 0 || skip(reader, dns_get16(fixed + 8)) < 0)
		return -EBADMSG;
	message->opt_last = false;
	if (dns_get16(fixed) != TYPE_OPT)
		return 0;
	if (!additional || message->has_opt || reader->message[start] != 0)
		return -EBADMSG;
	message->has_opt = true;
	message->opt_last = true;
	message->opt_offset = start;
	message->opt_length = reader->position - start;
	message->udp_size = dns_get16(fixed + 2);
	message->edns_version = fixed[5];
	message->dnssec_ok = fixed[6] & 0x80;
	return 0;
}

int dns_read(const uint8_t *message, size_t length, struct dns_message *ret)
{
	struct reader reader = {.message = message, .end = length};
	struct dns_message parsed = {0};

	if (length > LIMIT_MESSAGE || skip(&reader, DNS_HEADER_SIZE) < 0)
		return -EBADMSG;
	parsed.id = dns_get16(message);
	parsed.response = message[2] & FLAG_QR;
	parsed.truncated = message[2] & FLAG_TC;
	parsed.opcode = message[2] >> 3 & 0xf;
	parsed.rcode = message[3] & 0xf;
	for (size_t i = 0; i < 4; i++)
		parsed.counts[i] = dns_get16(message + 4 + 2 * i);
	if (parsed.counts[0] > 1)
		return -EBADMSG;
	if (parsed.counts[0] == 1 && read_question(&reader, &parsed) < 0)
		return -EBADMSG;
	for (size_t section = 1; section < 4; section++)
		for (size_t i = 0; i < parsed.counts[section]; i++)
			if (read_record(&reader, section == 3, &parsed) < 0)
				return -EBADMSG;
	if (reader.position != reader.end)
		return -EBADMSG;
	*ret = parsed;
	return 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool dns_same_question(const uint8_t *a, const uint8_t *b, size_t length)
{
	if (length < 5)
		return false;
	if (memcmp(a, b, length) == 0)
		return true;
	/* No length octet is a letter, and type and class are compared as they are. */
	for (size_t i = 0; i < length - 4; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return memcmp(a + length - 4, b + length - 4, 4) == 0;
}

bool dns_question_names(const uint8_t *question, size_t length, const char *name)
{
	size_t position = 0;

	if (length < 5 || dns_get16(question + length - 2) != CLASS_IN)
		return false;
	for (; question[position] > 0; name += *name == '.') {
		size_t label = question[position++];

		if (strcspn(name, ".") != label)
			return false;
		for (size_t i = 0; i < label; i++)
			if (lower(question[position++]) != (uint8_t)*name++)
				return false;
	}
	return *name == '\0';
}

/* An OPT record whose options take options octets, which the caller writes behind it. */
static size_t write_opt(uint8_t *out, uint8_t version, bool dnssec_ok, size_t options)
{
	memset(out, 0, DNS_OPT_SIZE);
	dns_put16(out + 1, TYPE_OPT);
	dns_put16(out + 3, LIMIT_UDP_UPSTREAM);
	out[6] = version;
	out[7] = dnssec_ok ? 0x80 : 0;
	dns_put16(out + 9, options);
	return DNS_OPT_SIZE;
}

size_t dns_write_query(const uint8_t *message, const struct dns_message *parsed, bool pad,
	uint8_t ret[static LIMIT_QUERY_SIZE])
{
	size_t length = DNS_HEADER_SIZE + parsed->question_length;
	bool opt = parsed->has_opt || pad;

	memcpy(ret, message, length);
	dns_put16(ret, 0);
	memset(ret + 6, 0, 4);
	dns_put16(ret + 10, opt ? 1 : 0);
	if (opt) {
		size_t padding = 0, options = 0;

		if (pad) {
			padding = length + DNS_OPT_SIZE + OPTION_HEADER;
			padding = (LIMIT_PADDING_BLOCK - padding % LIMIT_PADDING_BLOCK) % LIMIT_PADDING_BLOCK;
			options = OPTION_HEADER + padding;
		}
		length += write_opt(ret + length, parsed->edns_version, parsed->dnssec_ok, options);
		if (pad) {
			dns_put16(ret + length, OPTION_PADDING);
			dns_put16(ret + length + 2, padding);
			memset(ret + length + OPTION_HEADER, 0, padding);
			length += options;
		}
	}
	return length;
}

/* Takes the padding out of an OPT record that ends the message. Options that don't add up stay. */
static size_t strip_padding(uint8_t *message, size_t length, const struct dns_message *parsed)
{
	size_t position = parsed->opt_offset + DNS_OPT_SIZE;

	while (length - position >= OPTION_HEADER) {
		size_t option = OPTION_HEADER + (size_t)dns_get16(message + position + 2);

		if (option > length - position)
			break;
		if (dns_get16(message + position) == OPTION_PADDING) {
			memmove(message + position, message + position + option, length - position - option);
			length -= option;
		} else {
			position += option;
		}
	}
	dns_put16(message + parsed->opt_offset + 9, length - parsed->opt_offset - DNS_OPT_SIZE);
	return length;
}

static size_t truncate_answer(uint8_t *message, const struct dns_message *parsed, bool edns)
{
	size_t length = DNS_HEADER_SIZE + parsed->question_length;

	message[2] |= FLAG_TC;
	memset(message + 6, 0, 4);
	dns_put16(message + 10, edns ? 1 : 0);
	if (edns)
		length += write_opt(message + length, 0, parsed->dnssec_ok, 0);
	return length;
}

size_t dns_fit_answer(
	uint8_t *message, size_t length, const struct dns_message *parsed, bool edns, size_t limit)
{
	/* A record behind OPT (a signature of the message) pins it to its place: such an answer is
	   passed on with the OPT record that it has. */
	if (parsed->opt_last && !edns) {
		length = parsed->opt_offset;
		dns_put16(message + 10, parsed->counts[3] - 1);
	} else if (parsed->opt_last && parsed->opt_length > DNS_OPT_SIZE) {
		length = strip_padding(message, length, parsed);
	}
	return length > limit ? truncate_answer(message, parsed, edns) : length;
}

/* Header and question of an answer of our own. */
static size_t write_head(
	const uint8_t *query, size_t question_length, enum dns_rcode rcode, bool edns, uint8_t *out)
{
	memcpy(out, query, DNS_HEADER_SIZE + question_length);
	out[2] = FLAG_QR | (query[2] & ~(FLAG_QR | FLAG_AA | FLAG_TC));
	out[3] = FLAG_RA | (query[3] & FLAG_CD) | rcode;
	memset(out + 4, 0, 8);
	out[5] = question_length > 0;
	out[11] = edns;
	return DNS_HEADER_SIZE + question_length;
}

size_t dns_write_error(const uint8_t *query, size_t question_length, enum dns_rcode rcode,
	bool edns, enum dns_ede code, const char *text, uint8_t ret[static DNS_OWN_SIZE])
{
	size_t length = write_head(query, question_length, rcode, edns, ret);

	if (edns) {
		size_t text_length = text ? strnlen(text, DNS_ERROR_TEXT) : 0;

		length += write_opt(ret + length, 0, false, text ? OPTION_HEADER + 2 + text_length : 0);
		if (text) {
			dns_put16(ret + length, OPTION_EXTENDED_ERROR);
			dns_put16(ret + length + 2, 2 + text_length);
			dns_put16(ret + length + 4, code);
			memcpy(ret + length + 6, text, text_length);
			length += OPTION_HEADER + 2 + text_length;
		}
	}
	return length;
}

size_t dns_write_address(const uint8_t *query, size_t question_length, bool edns,
	const struct address *address, uint8_t ret[static DNS_OWN_SIZE])
{
	static const uint8_t name_of_question[] = {0xc0, DNS_HEADER_SIZE};
	size_t length = write_head(query, question_length, DNS_NOERROR, edns, ret);

	if (address) {
		uint8_t *record = ret + length;

		memcpy(record, name_of_question, sizeof(name_of_question));
		record += sizeof(name_of_question);
		memset(record, 0, RECORD_FIXED);
		dns_put16(record, address->family == AF_INET ? DNS_A : DNS_AAAA);
		dns_put16(record + 2, CLASS_IN);
		dns_put16(record + 8, address_length(address));
		memcpy(record + RECORD_FIXED, address->bytes, address_length(address));
		length += sizeof(name_of_question) + RECORD_FIXED + address_length(address);
		ret[7] = 1;
	}
	if (edns)
		length += write_opt(ret + length, 0, false, 0);
	return length;
}
