/*
 * encdnsctl decode: attributes in hex to JSON, line by line (ctl_lines.h).
 */
#include "ctl_lines.h"

#include <errno.h>
#include "wire/ascii.h"
#include "wire/digest.h"
#include "wire/domain.h"
#include "wire/encdns.h"
#include "wire/hex.h"
#include "wire/trust_anchor.h"
#include "address.h"
#include "json_file.h"
#include "util.h"

#define TYPE_MAX 32767 /* an attribute's type has 15 bits (RFC 7296, section 3.15.1) */

/* A line in its parts; the value is decoded from hex. */
struct line {
	uint16_t type;
	enum wire_message message;
	uint8_t octets[WIRE_VALUE_MAX];
	struct span value;
};

static json_object *text_of(struct span text)
{
	return json_object_new_string_len((const char *)text.data, (int)text.len);
}

/* Octets as the characters U+0000 to U+00FF. */
static json_object *octets_of(struct span octets)
{
	char text[2 * SVCPARAMS_ALPN_ID_MAX];
	size_t len = 0;

	for (size_t i = 0; i < octets.len; i++) {
		uint8_t c = octets.data[i];

		if (c >= 0x80)
			text[len++] = (char)(0xc0 | c >> 6);
		text[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	return text_of(span_of(text, len));
}

static json_object *hex_of(struct span octets)
{
	cleanup_free char *hex = lower_hex(octets);

	return hex ? json_object_new_string(hex) : NULL;
}

static json_object *algorithm_of(uint16_t id)
{
	const struct digest_algorithm *algorithm = digest_algorithm_by_id(id);

	return algorithm ? json_object_new_string(algorithm->name) : json_object_new_int(id);
}

static void key_name(uint16_t key, char ret[32])
{
	static const char *const names[] = {
		[SVCPARAM_ALPN] = "alpn",
		[SVCPARAM_NO_DEFAULT_ALPN] = "no-default-alpn",
		[SVCPARAM_PORT] = "port",
		[SVCPARAM_DOHPATH] = "dohpath",
	};

	if (key < ELEMENTS(names) && names[key])
		snprintf(ret, 32, "%s", names[key]);
	else
		snprintf(ret, 32, "key%u", key);
}

static void add_params(json_object *object, const struct svcparams *params)
{
	json_object *members = json_object_new_object(), *list;
	char name[32];

	json_add(object, "params", members);
	if (params->n_alpn > 0) {
		list = json_object_new_array();
		for (size_t i = 0; i < params->n_alpn; i++)
			json_object_array_add(list, octets_of(params->alpn[i]));
		json_add(members, "alpn", list);
	}
	if (params->has_port)
		json_add_number(members, "port", params->port);
	if (params->has_dohpath)
		json_add(members, "dohpath", text_of(params->dohpath));
	if (params->no_default_alpn)
		json_add_flag(members, "no-default-alpn", true);
	if (params->n_mandatory > 0) {
		list = json_object_new_array();
		for (size_t i = 0; i < params->n_mandatory; i++) {
			key_name(params->mandatory[i], name);
			json_object_array_add(list, json_object_new_string(name));
		}
		json_add(members, "mandatory", list);
	}
	for (size_t i = 0; i < params->n_other; i++) {
		key_name(params->other[i].key, name);
		json_add(members, name, hex_of(params->other[i].value));
	}
	if (json_object_object_length(members) == 0)
		json_object_object_del(object, "params");
}

static void add_addresses(json_object *object, uint16_t type, struct span octets)
{
	json_object *list = json_object_new_array();
	size_t length = wire_address_length(type);
	struct address address;
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < octets.len; i += length) {
		if (address_from_bytes(octets.data + i, length, &address) == 0)
			json_object_array_add(list, json_object_new_string(address_to_text(&address, text)));
	}
	json_add(object, "addresses", list);
}

static int add_encdns(json_object *object, const struct line *line, const char **ret_why)
{
	struct encdns encdns;
	int r;

	r = encdns_decode(line->type, line->message, line->value, &encdns, ret_why);
	if (r < 0)
		return r;
	json_add_number(object, "priority", encdns.priority);
	if (encdns.addresses.len > 0)
		add_addresses(object, line->type, encdns.addresses);
	/* The decoder took a trailing dot away, the length octet still counts it. */
	if (encdns.adn.len > 0)
		json_add(object, "adn", text_of(span_of(encdns.adn.data, line->value.data[3])));
	add_params(object, &encdns.params);
	return 0;
}

static int add_digest_request(json_object *object, const struct line *line, const char **ret_why)
{
	struct digest_request request;
	json_object *list;
	int r;

	r = digest_request_decode(line->value, &request, ret_why);
	if (r < 0)
		return r;
	list = json_object_new_array();
	for (size_t i = 0; i < request.n_algorithms; i++)
		json_object_array_add(list, algorithm_of(request.algorithms[i]));
	json_add(object, "algorithms", list);
	return 0;
}

static int add_digest(json_object *object, const struct line *line, const char **ret_why)
{
	struct digest_reply reply;
	const char *fault;
	int r;

	if (line->message == WIRE_REQUEST)
		return add_digest_request(object, line, ret_why);
	r = digest_reply_decode(line->value, &reply, ret_why);
	if (r < 0)
		return r;
	/* Whether an algorithm was asked for, only who asked can say. */
	fault = reply.fault || digest_algorithm_by_id(reply.algorithm)
				? digest_reply_fault(&reply, NULL)
				: NULL;
	if (fault) {
		*ret_why = fault;
		return -EBADMSG;
	}
	json_add(object, "adn", text_of(span_of(line->value.data + 2, line->value.data[1])));
	json_add(object, "algorithm", algorithm_of(reply.algorithm));
	json_add(object, "digest", hex_of(reply.digest));
	return 0;
}

static int add_domain(json_object *object, const struct line *line, const char **ret_why)
{
	struct span domain;
	int r;

	r = domain_decode(line->message, line->value, &domain, ret_why);
	if (r < 0)
		return r;
	json_add(object, "domain", text_of(line->value));
	return 0;
}

static int add_anchor(json_object *object, const struct line *line, const char **ret_why)
{
	struct trust_anchor anchor;
	int r;

	r = trust_anchor_decode(line->message, line->value, &anchor, ret_why);
	if (r < 0)
		return r;
	json_add_number(object, "key-tag", anchor.key_tag);
	json_add_number(object, "algorithm", anchor.algorithm);
	json_add_number(object, "digest-type", anchor.digest_type);
	json_add(object, "digest", hex_of(span_of(anchor.digest, anchor.digest_length)));
	return 0;
}

static const struct {
	uint16_t type;
	bool may_be_empty; /* in a request */
	int (*add)(json_object *object, const struct line *line, const char **ret_why);
} decoders[] = {
	{WIRE_INTERNAL_DNS_DOMAIN, true, add_domain},
	{WIRE_INTERNAL_DNSSEC_TA, true, add_anchor},
	{WIRE_ENCDNS_IP4, true, add_encdns},
	{WIRE_ENCDNS_IP6, true, add_encdns},
	{WIRE_ENCDNS_DIGEST_INFO, false, add_digest},
};

static int decode(json_object *object, const struct line *line, const char **ret_why)
{
	json_add_number(object, "type", line->type);
	for (size_t i = 0; i < ELEMENTS(decoders); i++) {
		if (decoders[i].type != line->type)
			continue;
		if (line->value.len > 0 || line->message == WIRE_REPLY || !decoders[i].may_be_empty)
			return decoders[i].add(object, line, ret_why);
		json_add_flag(object, "empty", true);
		return 0;
	}
	if (line->value.len > 0) {
		*ret_why = "only types 25 to 29 are decoded";
		return -EBADMSG;
	}
	json_add_flag(object, "empty", true);
	return 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next run of what is not blank; len 0 at the end. */
static struct span next_word(struct span *rest)
{
	size_t start = 0, end;

	while (start < rest->len && is_blank(rest->data[start]))
		start++;
	for (end = start; end < rest->len && !is_blank(rest->data[end]); end++)
		;
	*rest = span_of(rest->data + end, rest->len - end);
	return span_of(rest->data - (end - start), end - start);
}

static int read_type(struct span word, uint16_t *ret)
{
	uint32_t type = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (!ascii_is_digit(word.data[i]))
			return -EBADMSG;
		type = 10 * type + word.data[i] - '0';
		if (type > TYPE_MAX)
			return -EBADMSG;
	}
	*ret = (uint16_t)type;
	return word.len > 0 ? 0 : -EBADMSG;
}

static const char *read_line(struct span rest, struct line *line)
{
	struct span word = next_word(&rest);

	if (read_type(word, &line->type) < 0)
		return "the line does not begin with an attribute type, a number up to 32767";
	word = next_word(&rest);
	if (span_equal(word, span_from_string("request")))
		line->message = WIRE_REQUEST;
	else if (span_equal(word, span_from_string("reply")))
		line->message = WIRE_REPLY;
	else
		return "the second word is neither request nor reply";
	word = next_word(&rest);
	if (word.len > 2 * WIRE_VALUE_MAX)
		return "the value is longer than 65535 octets";
	if (hex_decode(word, line->octets, sizeof(line->octets)) < 0)
		return "the value is not in pairs of hex digits";
	line->value = span_of(line->octets, word.len / 2);
	return next_word(&rest).len > 0 ? "there is more than a type, a word and a value" : NULL;
}

static int write_json(json_object *object, FILE *out)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (!text)
		return -ENOMEM;
	fwrite(text, 1, len, out);
	fputc('\n', out);
	return 0;
}

int decode_error(const char *why, FILE *out)
{
	cleanup_json json_object *object = json_object_new_object();

	if (!object)
		return -ENOMEM;
	json_add_text(object, "error", why);
	return write_json(object, out);
}

int decode_line(struct span text, FILE *out)
{
	cleanup_json json_object *object = json_object_new_object();
	struct line line;
	const char *why;

	if (!object)
		return -ENOMEM;
	why = read_line(text, &line);
	if (why || decode(object, &line, &why) < 0)
		return decode_error(why, out);
	return write_json(object, out);
}
