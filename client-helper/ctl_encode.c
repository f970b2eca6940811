/*
 * encdnsctl encode: JSON to attributes in hex, line by line (ctl_lines.h).
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

#define DEPTH_MAX 4

/*
 * The spans of what is encoded point into the JSON object, or in here where JSON has them in
 * another form.
 */
struct arena {
	uint8_t data[WIRE_VALUE_MAX];
	size_t length;
};

/* What is encoded to, and from. */
struct job {
	json_object *object;
	uint16_t type;
	enum wire_message message;
	struct arena arena;
	uint8_t value[WIRE_VALUE_MAX];
	size_t length;
};

static void tokener_free(json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static int refuse_json(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static int take_octets(struct arena *arena, size_t length, uint8_t **ret, const char **ret_why)
{
	if (length > sizeof(arena->data) - arena->length)
		return refuse_json(ret_why, "the value is longer than 65535 octets");
	*ret = arena->data + arena->length;
	arena->length += length;
	return 0;
}

static bool is_text(json_object *json)
{
	return json_object_is_type(json, json_type_string);
}

static struct span text_of(json_object *json)
{
	return span_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
}

static int read_hex(struct arena *arena, json_object *json, struct span *ret, const char **ret_why)
{
	struct span text = is_text(json) ? text_of(json) : span_of("-", 1);
	uint8_t *octets;
	int r;

	r = take_octets(arena, text.len / 2, &octets, ret_why);
	if (r < 0)
		return r;
	if (hex_decode(text, octets, text.len / 2) < 0)
		return refuse_json(ret_why, "what should be in hex is not a string of pairs of hex digits");
	*ret = span_of(octets, text.len / 2);
	return 0;
}

/* From the characters U+0000 to U+00FF to octets. */
static int read_characters(
	struct arena *arena, json_object *json, struct span *ret, const char **ret_why)
{
	struct span text = is_text(json) ? text_of(json) : span_of("\xff", 1);
	uint8_t *octets;
	size_t n = 0;
	int r;

	r = take_octets(arena, text.len, &octets, ret_why);
	if (r < 0)
		return r;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c >= 0x80) {
			if ((c != 0xc2 && c != 0xc3) || i + 1 == text.len || (text.data[i + 1] & 0xc0) != 0x80)
				return refuse_json(
					ret_why, "what should be octets is not a string of characters up to U+00FF");
			c = (uint8_t)(c << 6 | (text.data[++i] & 0x3f));
		}
		octets[n++] = c;
	}
	*ret = span_of(octets, n);
	return 0;
}

static int read_number(
	json_object *json, int64_t max, const char *why, uint16_t *ret, const char **ret_why)
{
	if (!json_object_is_type(json, json_type_int) || json_object_get_int64(json) < 0 ||
		json_object_get_int64(json) > max)
		return refuse_json(ret_why, why);
	*ret = (uint16_t)json_object_get_int64(json);
	return 0;
}

static int read_member(const struct job *job, const char *name, int64_t max, const char *why,
	uint16_t *ret, const char **ret_why)
{
	return read_number(json_object_object_get(job->object, name), max, why, ret, ret_why);
}

/* A member that is text, or is not there. */
static int read_name(
	const struct job *job, const char *member, struct span *ret, const char **ret_why)
{
	json_object *json;

	if (!json_object_object_get_ex(job->object, member, &json))
		return 0;
	if (!is_text(json))
		return refuse_json(ret_why, "a name is not a string");
	*ret = text_of(json);
	return 0;
}

static int read_algorithm(json_object *json, uint16_t *ret, const char **ret_why)
{
	const struct digest_algorithm *algorithm;

	if (!is_text(json))
		return read_number(
			json, UINT16_MAX, "a hash algorithm is neither a name nor a number", ret, ret_why);
	algorithm = digest_algorithm_by_name(text_of(json));
	if (!algorithm)
		return refuse_json(ret_why, "a hash algorithm's name is not sha256, sha384 or sha512");
	*ret = algorithm->id;
	return 0;
}

/* An array, or what is not there; *ret_n 0 then. */
static int read_array(
	json_object *object, const char *name, json_object **ret, size_t *ret_n, const char **ret_why)
{
	*ret = NULL;
	*ret_n = 0;
	if (!json_object_object_get_ex(object, name, ret))
		return 0;
	if (!json_object_is_type(*ret, json_type_array))
		return refuse_json(ret_why, "what should be a list is none");
	*ret_n = json_object_array_length(*ret);
	return 0;
}

static int read_addresses(struct job *job, struct span *ret, const char **ret_why)
{
	size_t length = wire_address_length(job->type), n;
	struct address address;
	json_object *list;
	uint8_t *octets;
	int r;

	r = read_array(job->object, "addresses", &list, &n, ret_why);
	if (r >= 0)
		r = take_octets(&job->arena, n * length, &octets, ret_why);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (!text || address_from_text(text, &address) < 0 || address_length(&address) != length)
			return refuse_json(ret_why, "an address is not of the attribute's family");
		memcpy(octets + i * length, address.bytes, length);
	}
	if (r >= 0)
		*ret = span_of(octets, n * length);
	return r;
}

static const struct {
	const char *name;
	uint16_t key;
} keys[] = {
	{"mandatory", SVCPARAM_MANDATORY},
	{"alpn", SVCPARAM_ALPN},
	{"no-default-alpn", SVCPARAM_NO_DEFAULT_ALPN},
	{"port", SVCPARAM_PORT},
	{"dohpath", SVCPARAM_DOHPATH},
};

static int read_key(const char *name, uint16_t *ret, const char **ret_why)
{
	uint32_t key = 0;
	size_t i = 3;

	for (size_t j = 0; j < ELEMENTS(keys); j++)
		if (strcmp(keys[j].name, name) == 0) {
			*ret = keys[j].key;
			return 0;
		}
	if (strncmp(name, "key", 3) != 0 || !name[i])
		return refuse_json(
			ret_why, "a SvcParam's name is unknown; other keys are named as key65000");
	for (; name[i]; i++) {
		if (!ascii_is_digit((uint8_t)name[i]) || key > UINT16_MAX)
			break;
		key = 10 * key + (uint32_t)(name[i] - '0');
	}
	if (name[i] || key > UINT16_MAX)
		return refuse_json(ret_why, "a SvcParam's number is not one of 16 bits");
	*ret = (uint16_t)key;
	return 0;
}

static int read_mandatory(json_object *list, struct svcparams *params, const char **ret_why)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	uint16_t key;
	size_t j;
	int r;

	if (n == 0 || n > SVCPARAMS_MANDATORY_MAX)
		return refuse_json(ret_why, "mandatory is no list of 1 to 16 keys");
	for (size_t i = 0; i < n; i++) {
		json_object *name = json_object_array_get_idx(list, i);

		r = is_text(name) ? read_key(json_object_get_string(name), &key, ret_why)
						  : refuse_json(ret_why, "mandatory is not a list of names");
		if (r < 0)
			return r;
		for (j = params->n_mandatory++; j > 0 && params->mandatory[j - 1] > key; j--)
			params->mandatory[j] = params->mandatory[j - 1];
		params->mandatory[j] = key;
	}
	return 0;
}

static int read_alpn(
	struct arena *arena, json_object *list, struct svcparams *params, const char **ret_why)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	int r = 0;

	if (n == 0 || n > SVCPARAMS_ALPN_MAX)
		return refuse_json(ret_why, "alpn is no list of 1 to 16 protocol ids");
	for (; r >= 0 && params->n_alpn < n; params->n_alpn++)
		r = read_characters(arena, json_object_array_get_idx(list, params->n_alpn),
			&params->alpn[params->n_alpn], ret_why);
	return r;
}

static int read_other(struct arena *arena, uint16_t key, json_object *json,
	struct svcparams *params, const char **ret_why)
{
	struct span value;
	size_t i;
	int r;

	if (params->n_other == SVCPARAMS_OTHER_MAX)
		return refuse_json(ret_why, "there are more than 16 SvcParams with unknown keys");
	r = read_hex(arena, json, &value, ret_why);
	if (r < 0)
		return r;
	for (i = params->n_other++; i > 0 && params->other[i - 1].key > key; i--)
		params->other[i] = params->other[i - 1];
	params->other[i] = (struct svcparam){key, value};
	return 0;
}

static int read_param(struct arena *arena, uint16_t key, json_object *json,
	struct svcparams *params, const char **ret_why)
{
	switch (key) {
	case SVCPARAM_MANDATORY:
		return read_mandatory(json, params, ret_why);
	case SVCPARAM_ALPN:
		return read_alpn(arena, json, params, ret_why);
	case SVCPARAM_NO_DEFAULT_ALPN:
		params->no_default_alpn = true;
		return json_object_get_boolean(json) ? 0
											 : refuse_json(ret_why, "no-default-alpn is not true");
	case SVCPARAM_PORT:
		params->has_port = true;
		return read_number(json, UINT16_MAX, "the port is no number", &params->port, ret_why);
	case SVCPARAM_DOHPATH:
		params->has_dohpath = true;
		params->dohpath = is_text(json) ? text_of(json) : span_of(NULL, 0);
		return is_text(json) ? 0 : refuse_json(ret_why, "dohpath is not a string");
	default:
		return read_other(arena, key, json, params, ret_why);
	}
}

static int read_params(struct job *job, struct svcparams *params, const char **ret_why)
{
	json_object *members;
	uint16_t key;
	int r = 0;

	if (!json_object_object_get_ex(job->object, "params", &members))
		return 0;
	if (!json_object_is_type(members, json_type_object))
		return refuse_json(ret_why, "params is no object");
	json_object_object_foreach(members, name, json)
	{
		r = read_key(name, &key, ret_why);
		if (r >= 0)
			r = read_param(&job->arena, key, json, params, ret_why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int encode_encdns(struct job *job, bool empty, const char **ret_why)
{
	struct encdns encdns = {.empty = empty};
	int r = 0;

	if (!empty) {
		r = read_member(job, "priority", UINT16_MAX, "there is no priority from 1 to 65535",
			&encdns.priority, ret_why);
		if (r >= 0)
			r = read_addresses(job, &encdns.addresses, ret_why);
		if (r >= 0)
			r = read_name(job, "adn", &encdns.adn, ret_why);
		if (r >= 0)
			r = read_params(job, &encdns.params, ret_why);
	}
	if (r < 0)
		return r;
	return encdns_encode(
		job->type, job->message, &encdns, job->value, sizeof(job->value), &job->length, ret_why);
}

static int encode_digest_request(struct job *job, const char **ret_why)
{
	struct digest_request request = {0};
	json_object *list;
	size_t n;
	int r;

	r = read_array(job->object, "algorithms", &list, &n, ret_why);
	if (r >= 0 && n > DIGEST_ALGORITHMS_MAX)
		r = refuse_json(ret_why, "more than 255 hash algorithms are listed");
	for (; r >= 0 && request.n_algorithms < n; request.n_algorithms++)
		r = read_algorithm(json_object_array_get_idx(list, request.n_algorithms),
			&request.algorithms[request.n_algorithms], ret_why);
	if (r < 0)
		return r;
	return digest_request_encode(&request, job->value, sizeof(job->value), &job->length, ret_why);
}

static int encode_digest(struct job *job, bool empty, const char **ret_why)
{
	struct digest_reply reply = {0};
	int r;

	if (empty)
		return refuse_json(ret_why, "ENCDNS_DIGEST_INFO is never empty");
	if (job->message == WIRE_REQUEST)
		return encode_digest_request(job, ret_why);
	r = read_name(job, "adn", &reply.adn, ret_why);
	if (r >= 0)
		r = read_algorithm(
			json_object_object_get(job->object, "algorithm"), &reply.algorithm, ret_why);
	if (r >= 0)
		r = read_hex(
			&job->arena, json_object_object_get(job->object, "digest"), &reply.digest, ret_why);
	if (r < 0)
		return r;
	return digest_reply_encode(&reply, job->value, sizeof(job->value), &job->length, ret_why);
}

static int encode_domain(struct job *job, bool empty, const char **ret_why)
{
	struct span domain = {0};
	int r;

	r = read_name(job, "domain", &domain, ret_why);
	if (r < 0)
		return r;
	if (!empty && domain.len == 0)
		return refuse_json(ret_why, "there is no domain");
	return domain_encode(
		job->message, domain, job->value, sizeof(job->value), &job->length, ret_why);
}

static int read_anchor(struct job *job, struct trust_anchor *anchor, const char **ret_why)
{
	uint16_t algorithm, digest_type;
	struct span digest;
	int r;

	r = read_member(
		job, "key-tag", UINT16_MAX, "there is no key-tag of 16 bits", &anchor->key_tag, ret_why);
	if (r >= 0)
		r = read_member(
			job, "algorithm", UINT8_MAX, "there is no algorithm of 8 bits", &algorithm, ret_why);
	if (r >= 0)
		r = read_member(job, "digest-type", UINT8_MAX, "there is no digest-type of 8 bits",
			&digest_type, ret_why);
	if (r >= 0)
		r = read_hex(&job->arena, json_object_object_get(job->object, "digest"), &digest, ret_why);
	if (r < 0)
		return r;
	if (digest.len > sizeof(anchor->digest))
		return refuse_json(ret_why, "the digest's length is not that of its type");
	anchor->algorithm = (uint8_t)algorithm;
	anchor->digest_type = (uint8_t)digest_type;
	anchor->digest_length = (uint8_t)digest.len;
	memcpy(anchor->digest, digest.data, digest.len);
	return 0;
}

static int encode_anchor(struct job *job, bool empty, const char **ret_why)
{
	struct trust_anchor anchor = {.empty = empty};
	int r;

	r = empty ? 0 : read_anchor(job, &anchor, ret_why);
	if (r < 0)
		return r;
	return trust_anchor_encode(
		job->message, &anchor, job->value, sizeof(job->value), &job->length, ret_why);
}

/* Every member that an object may have: a misspelt one is no absent one. */
static const struct {
	uint16_t type;
	const char *members[7];
	int (*encode)(struct job *job, bool empty, const char **ret_why);
} encoders[] = {
	{WIRE_INTERNAL_DNS_DOMAIN, {"domain"}, encode_domain},
	{WIRE_INTERNAL_DNSSEC_TA, {"key-tag", "algorithm", "digest-type", "digest"}, encode_anchor},
	{WIRE_ENCDNS_IP4, {"priority", "addresses", "adn", "params"}, encode_encdns},
	{WIRE_ENCDNS_IP6, {"priority", "addresses", "adn", "params"}, encode_encdns},
	{WIRE_ENCDNS_DIGEST_INFO, {"algorithms", "adn", "algorithm", "digest"}, encode_digest},
};

static bool is_member(const char *const *members, const char *name)
{
	for (; *members; members++)
		if (strcmp(*members, name) == 0)
			return true;
	return false;
}

static int check_members(json_object *object, const char *const *members, const char **ret_why)
{
	static const char *const always[] = {"type", "message", "empty", NULL};
	bool empty = json_get_flag(object, "empty");

	json_object_object_foreach(object, name, json)
	{
		if (strcmp(name, "empty") == 0 && !json_object_get_boolean(json))
			return refuse_json(ret_why, "empty is not true");
		if (is_member(always, name))
			continue;
		if (!is_member(members, name))
			return refuse_json(ret_why, "there is a member that this type does not have");
		if (empty)
			return refuse_json(ret_why, "an empty attribute has no other members");
	}
	return 0;
}

static int encode(struct job *job, const char **ret_why)
{
	const char *message = json_get_text(job->object, "message");
	bool empty = json_get_flag(job->object, "empty");
	int r;

	if (!json_object_is_type(job->object, json_type_object))
		return refuse_json(ret_why, "the line is no JSON object");
	if (!message || (strcmp(message, "request") != 0 && strcmp(message, "reply") != 0))
		return refuse_json(ret_why, "message is neither request nor reply");
	job->message = strcmp(message, "request") == 0 ? WIRE_REQUEST : WIRE_REPLY;
	r = read_member(job, "type", 32767, "there is no type from 0 to 32767", &job->type, ret_why);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ELEMENTS(encoders); i++) {
		if (encoders[i].type != job->type)
			continue;
		r = check_members(job->object, encoders[i].members, ret_why);
		return r < 0 ? r : encoders[i].encode(job, empty, ret_why);
	}
	r = check_members(job->object, (const char *const[]){NULL}, ret_why);
	if (r >= 0 && !empty)
		r = refuse_json(ret_why, "only types 25 to 29 are encoded");
	return r;
}

/*
 * Without JSON_TOKENER_STRICT, which has json-c 0.18 refuse all that is not ASCII: what it would
 * see of a line that goes on behind its object is seen here. UTF-8 is checked by who reads a
 * string.
 */
static json_object *parse(struct span line)
{
	cleanup(tokener_free) json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	cleanup_json json_object *object = NULL;

	/* A NUL within would end the text for json-c. */
	if (!tokener || memchr(line.data, '\0', line.len))
		return NULL;
	object = json_tokener_parse_ex(tokener, (const char *)line.data, (int)line.len);
	for (size_t i = json_tokener_get_parse_end(tokener); i < line.len; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t')
			return NULL;
	return steal(object);
}

int encode_error(const char *why, FILE *out)
{
	fprintf(out, "error: %s\n", why);
	return 0;
}

int encode_line(struct span line, FILE *out)
{
	cleanup_json json_object *object = NULL;
	cleanup_free char *hex = NULL;
	const char *why = NULL;
	struct job job;

	while (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	object = job.object = parse(line);
	job.length = job.arena.length = 0;
	if (encode(&job, &why) < 0)
		return encode_error(why, out);
	hex = lower_hex(span_of(job.value, job.length));
	if (!hex)
		return -ENOMEM;
	fprintf(out, "%s\n", hex);
	return 0;
}
