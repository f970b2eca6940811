/*
 * SvcParams: see svcparams.h.
 */
#include "svcparams.h"

#include "dohpath.h"
#include "refuse.h"

static int decode_mandatory(struct span value, struct svcparams *params, const char **ret_why)
{
	struct reader reader = {value};
	uint16_t key;

	if (value.len == 0)
		return refuse(ret_why, "the SvcParam mandatory is empty");
	while (reader.left.len > 0) {
		if (reader_u16(&reader, &key) < 0)
			return refuse(ret_why, "the SvcParam mandatory has an odd length");
		if (key == SVCPARAM_MANDATORY)
			return refuse(ret_why, "the SvcParam mandatory lists itself");
		if (params->n_mandatory > 0 && key <= params->mandatory[params->n_mandatory - 1])
			return refuse(ret_why, "the SvcParam mandatory is not in ascending order");
		if (params->n_mandatory == SVCPARAMS_MANDATORY_MAX)
			return refuse(ret_why, "the SvcParam mandatory lists more than 16 keys");
		params->mandatory[params->n_mandatory++] = key;
	}
	return 0;
}

static int decode_alpn(struct span value, struct svcparams *params, const char **ret_why)
{
	struct reader reader = {value};
	struct span id;
	uint8_t len;

	if (value.len == 0)
		return refuse(ret_why, "the SvcParam alpn is empty");
	while (reader_u8(&reader, &len) == 0) {
		if (reader_span(&reader, len, &id) < 0)
			return refuse(ret_why, "the SvcParam alpn holds a protocol id that is cut off");
		if (len == 0)
			return refuse(ret_why, "the SvcParam alpn holds an empty protocol id");
		if (params->n_alpn == SVCPARAMS_ALPN_MAX)
			return refuse(ret_why, "the SvcParam alpn holds more than 16 protocol ids");
		params->alpn[params->n_alpn++] = id;
	}
	return 0;
}

static int decode_no_default_alpn(struct span value, struct svcparams *params, const char **ret_why)
{
	if (value.len != 0)
		return refuse(ret_why, "the SvcParam no-default-alpn has a value");
	params->no_default_alpn = true;
	return 0;
}

static int decode_port(struct span value, struct svcparams *params, const char **ret_why)
{
	struct reader reader = {value};

	if (value.len != 2 || reader_u16(&reader, &params->port) < 0)
		return refuse(ret_why, "the SvcParam port is not 2 octets long");
	if (params->port == 0)
		return refuse(ret_why, "the SvcParam port is 0");
	params->has_port = true;
	return 0;
}

static int decode_dohpath(struct span value, struct svcparams *params, const char **ret_why)
{
	int r;

	r = dohpath_check(value, ret_why);
	if (r < 0)
		return r;
	params->dohpath = value;
	params->has_dohpath = true;
	return 0;
}

static int decode_other(
	uint16_t key, struct span value, struct svcparams *params, const char **ret_why)
{
	if (params->n_other == SVCPARAMS_OTHER_MAX)
		return refuse(ret_why, "there are more than 16 SvcParams with unknown keys");
	params->other[params->n_other++] = (struct svcparam){key, value};
	return 0;
}

static int decode_one(
	uint16_t key, struct span value, struct svcparams *params, const char **ret_why)
{
	switch (key) {
	case SVCPARAM_MANDATORY:
		return decode_mandatory(value, params, ret_why);
	case SVCPARAM_ALPN:
		return decode_alpn(value, params, ret_why);
	case SVCPARAM_NO_DEFAULT_ALPN:
		return decode_no_default_alpn(value, params, ret_why);
	case SVCPARAM_PORT:
		return decode_port(value, params, ret_why);
	case SVCPARAM_IPV4HINT:
		return refuse(ret_why, "the SvcParam ipv4hint is not allowed here");
	case SVCPARAM_IPV6HINT:
		return refuse(ret_why, "the SvcParam ipv6hint is not allowed here");
	case SVCPARAM_DOHPATH:
		return decode_dohpath(value, params, ret_why);
	case SVCPARAM_INVALID:
		return refuse(ret_why, "a SvcParam has the invalid key 65535");
	default:
		return decode_other(key, value, params, ret_why);
	}
}

/* Has the key a member of its own in struct svcparams, or can it have none? */
static bool is_interpreted(uint16_t key)
{
	return key <= SVCPARAM_DOHPATH && key != SVCPARAM_ECH;
}

static bool is_present(const struct svcparams *params, uint16_t key)
{
	size_t i;

	switch (key) {
	case SVCPARAM_ALPN:
		return params->n_alpn > 0;
	case SVCPARAM_NO_DEFAULT_ALPN:
		return params->no_default_alpn;
	case SVCPARAM_PORT:
		return params->has_port;
	case SVCPARAM_DOHPATH:
		return params->has_dohpath;
	}
	for (i = 0; i < params->n_other; i++) {
		if (params->other[i].key == key)
			return true;
	}
	return false;
}

/* What can only be said of all SvcParams together (RFC 9460, sections 7.1.1 and 8). */
static int check_whole(const struct svcparams *params, const char **ret_why)
{
	size_t i;

	for (i = 0; i < params->n_mandatory; i++) {
		if (!is_present(params, params->mandatory[i]))
			return refuse(ret_why, "the SvcParam mandatory lists a key that is absent");
		if (!is_interpreted(params->mandatory[i]))
			return refuse(ret_why, "a SvcParam with an unknown key is mandatory");
	}
	if (params->no_default_alpn && params->n_alpn == 0)
		return refuse(ret_why, "the SvcParam no-default-alpn is there without alpn");
	return 0;
}

int svcparams_decode(struct span value, struct svcparams *ret, const char **ret_why)
{
	struct reader reader = {value};
	struct svcparams params = {0};
	uint16_t key, len, last = 0;
	struct span one;
	bool first = true;
	int r;

	while (reader.left.len > 0) {
		if (reader_u16(&reader, &key) < 0 || reader_u16(&reader, &len) < 0)
			return refuse(ret_why, "the last SvcParam is cut off");
		if (!first && key == last)
			return refuse(ret_why, "a SvcParam is there twice");
		if (!first && key < last)
			return refuse(ret_why, "the SvcParams are not in ascending order of keys");
		if (reader_span(&reader, len, &one) < 0)
			return refuse(ret_why, "the last SvcParam's value is cut off");
		r = decode_one(key, one, &params, ret_why);
		if (r < 0)
			return r;
		last = key;
		first = false;
	}
	r = check_whole(&params, ret_why);
	if (r < 0)
		return r;
	*ret = params;
	return 0;
}

static void encode_key(struct writer *writer, uint16_t key, size_t len)
{
	writer_u16(writer, key);
	writer_length16(writer, len);
}

static void encode_mandatory(struct writer *writer, const struct svcparams *params)
{
	size_t i;

	encode_key(writer, SVCPARAM_MANDATORY, 2 * params->n_mandatory);
	for (i = 0; i < params->n_mandatory; i++)
		writer_u16(writer, params->mandatory[i]);
}

static void encode_alpn(struct writer *writer, const struct svcparams *params)
{
	size_t i, len = 0;

	for (i = 0; i < params->n_alpn; i++)
		len += 1 + params->alpn[i].len;
	encode_key(writer, SVCPARAM_ALPN, len);
	for (i = 0; i < params->n_alpn; i++) {
		writer_length8(writer, params->alpn[i].len);
		writer_span(writer, params->alpn[i]);
	}
}

static void encode_value(struct writer *writer, uint16_t key, struct span value)
{
	encode_key(writer, key, value.len);
	writer_span(writer, value);
}

/* dohpath, and the other keys on both sides of it. */
static void encode_rest(struct writer *writer, const struct svcparams *params)
{
	bool dohpath = params->has_dohpath;
	size_t i;

	for (i = 0; i < params->n_other; i++) {
		if (dohpath && params->other[i].key > SVCPARAM_DOHPATH) {
			encode_value(writer, SVCPARAM_DOHPATH, params->dohpath);
			dohpath = false;
		}
		encode_value(writer, params->other[i].key, params->other[i].value);
	}
	if (dohpath)
		encode_value(writer, SVCPARAM_DOHPATH, params->dohpath);
}

static int check_counts(const struct svcparams *params, const char **ret_why)
{
	size_t i;

	if (params->n_mandatory > SVCPARAMS_MANDATORY_MAX)
		return refuse(ret_why, "the SvcParam mandatory lists more than 16 keys");
	if (params->n_alpn > SVCPARAMS_ALPN_MAX)
		return refuse(ret_why, "the SvcParam alpn holds more than 16 protocol ids");
	if (params->n_other > SVCPARAMS_OTHER_MAX)
		return refuse(ret_why, "there are more than 16 SvcParams with unknown keys");
	for (i = 0; i < params->n_other; i++) {
		if (is_interpreted(params->other[i].key))
			return refuse(ret_why, "a SvcParam with a known key is among the unknown ones");
	}
	return 0;
}

int svcparams_encode(const struct svcparams *params, struct writer *writer, const char **ret_why)
{
	struct writer start = *writer;
	struct svcparams check;
	struct span written;
	size_t len;
	int r;

	if (check_counts(params, ret_why) < 0)
		return -EINVAL;
	if (params->n_mandatory > 0)
		encode_mandatory(writer, params);
	if (params->n_alpn > 0)
		encode_alpn(writer, params);
	if (params->no_default_alpn)
		encode_key(writer, SVCPARAM_NO_DEFAULT_ALPN, 0);
	if (params->has_port) {
		encode_key(writer, SVCPARAM_PORT, sizeof(params->port));
		writer_u16(writer, params->port);
	}
	encode_rest(writer, params);

	r = writer_finish(writer, &len);
	if (r == -EMSGSIZE)
		r = refuse_to_send(ret_why, "a SvcParam's value is too long");
	if (r == 0 && len > start.len) {
		written = span_of(start.data + start.len, len - start.len);
		r = svcparams_decode(written, &check, ret_why) < 0 ? -EINVAL : 0;
	}
	if (r < 0)
		*writer = start;
	return r;
}

bool svcparams_has_alpn(const struct svcparams *params, const char *id)
{
	size_t i;

	for (i = 0; i < params->n_alpn; i++) {
		if (span_equal(params->alpn[i], span_from_string(id)))
			return true;
	}
	return false;
}
