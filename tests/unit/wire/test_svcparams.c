#include "support.h"

#include <errno.h>
#include <string.h>

#define MANDATORY(...) 0, 0, __VA_ARGS__
#define ALPN_DOT 0, 1, 0, 4, 3, 'd', 'o', 't'
#define ALPN_H2 0, 1, 0, 3, 2, 'h', '2'
#define NO_DEFAULT_ALPN 0, 2, 0, 0
#define PORT_853 0, 3, 0, 2, 0x03, 0x55
#define ECH 0, 5, 0, 1, 0xec
#define DOHPATH 0, 7, 0, 7, '/', '{', '?', 'd', 'n', 's', '}'
#define KEY667 0x02, 0x9b, 0, 5, 'h', 'e', 'l', 'l', 'o'

static int decode(struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct svcparams params;
	int r = svcparams_decode(copy, &params, ret_why);

	copy_free(copy);
	return r;
}

/* What decodes encodes to the same octets. */
static void assert_same_again(struct span value)
{
	uint8_t data[8192];
	struct writer writer = writer_of(data, sizeof(data));
	struct svcparams params;

	assert_int_equal(svcparams_decode(value, &params, NULL), 0);
	assert_int_equal(svcparams_encode(&params, &writer, NULL), 0);
	assert_span_equal(span_of(data, writer.len), value);
}

static void test_nothing(void **state)
{
	struct svcparams params;

	memset(&params, 0xff, sizeof(params));
	assert_int_equal(svcparams_decode((struct span){0}, &params, NULL), 0);
	assert_svcparams_equal(&params, &(struct svcparams){0});
	assert_same_again((struct span){0});
}

static void test_everything(void **state)
{
	struct span value = OCTETS(MANDATORY(0, 6, 0, 1, 0, 3, 0, 7), 0, 1, 0, 7, 3, 'd', 'o', 't', 2,
		'h', '2', NO_DEFAULT_ALPN, PORT_853, ECH, DOHPATH, KEY667);
	struct svcparams params;

	assert_int_equal(svcparams_decode(value, &params, NULL), 0);
	assert_int_equal(params.n_mandatory, 3);
	assert_int_equal(params.mandatory[0], SVCPARAM_ALPN);
	assert_int_equal(params.mandatory[1], SVCPARAM_PORT);
	assert_int_equal(params.mandatory[2], SVCPARAM_DOHPATH);
	assert_int_equal(params.n_alpn, 2);
	assert_span_equal(params.alpn[0], TEXT("dot"));
	assert_span_equal(params.alpn[1], TEXT("h2"));
	assert_true(params.no_default_alpn);
	assert_true(params.has_port);
	assert_int_equal(params.port, 853);
	assert_true(params.has_dohpath);
	assert_span_equal(params.dohpath, TEXT("/{?dns}"));
	assert_int_equal(params.n_other, 2);
	assert_int_equal(params.other[0].key, SVCPARAM_ECH);
	assert_span_equal(params.other[0].value, OCTETS(0xec));
	assert_int_equal(params.other[1].key, 667);
	assert_span_equal(params.other[1].value, TEXT("hello"));
	assert_same_again(value);
}

static void test_has_alpn(void **state)
{
	struct svcparams params;

	assert_int_equal(svcparams_decode(OCTETS(ALPN_DOT), &params, NULL), 0);
	assert_true(svcparams_has_alpn(&params, "dot"));
	assert_false(svcparams_has_alpn(&params, "do"));
	assert_false(svcparams_has_alpn(&params, "DoT"));
	assert_false(svcparams_has_alpn(&params, "h2"));
	assert_false(svcparams_has_alpn(&(struct svcparams){0}, "dot"));
}

static void test_unknown_keys_are_kept(void **state)
{
	assert_same_again(OCTETS(0, 8, 0, 0));
	assert_same_again(OCTETS(ECH));
	assert_same_again(OCTETS(PORT_853, ECH));
	assert_same_again(OCTETS(ALPN_H2, KEY667, 0xff, 0xfe, 0, 1, 0));
}

static void test_refusals_have_their_reason(void **state)
{
	const struct {
		struct span value;
		const char *why;
	} cases[] = {
		{OCTETS(ALPN_DOT, 0), "the last SvcParam is cut off"},
		{OCTETS(0, 3, 0), "the last SvcParam is cut off"},
		{OCTETS(0, 3, 0, 3, 3, 85), "the last SvcParam's value is cut off"},
		{OCTETS(PORT_853, PORT_853), "a SvcParam is there twice"},
		{OCTETS(KEY667, KEY667), "a SvcParam is there twice"},
		{OCTETS(MANDATORY(0, 2, 0, 1), MANDATORY(0, 2, 0, 1)), "a SvcParam is there twice"},
		{OCTETS(PORT_853, ALPN_DOT), "the SvcParams are not in ascending order of keys"},
		{OCTETS(KEY667, DOHPATH), "the SvcParams are not in ascending order of keys"},
		{OCTETS(ALPN_DOT, MANDATORY(0, 2, 0, 1)),
			"the SvcParams are not in ascending order of keys"},

		{OCTETS(MANDATORY(0, 0), ALPN_DOT), "the SvcParam mandatory is empty"},
		{OCTETS(MANDATORY(0, 1, 0), ALPN_DOT), "the SvcParam mandatory has an odd length"},
		{OCTETS(MANDATORY(0, 3, 0, 1, 0), ALPN_DOT), "the SvcParam mandatory has an odd length"},
		{OCTETS(MANDATORY(0, 2, 0, 0), ALPN_DOT), "the SvcParam mandatory lists itself"},
		{OCTETS(MANDATORY(0, 4, 0, 3, 0, 1), ALPN_DOT, PORT_853),
			"the SvcParam mandatory is not in ascending order"},
		{OCTETS(MANDATORY(0, 4, 0, 1, 0, 1), ALPN_DOT),
			"the SvcParam mandatory is not in ascending order"},
		{OCTETS(MANDATORY(0, 2, 0, 3), ALPN_DOT),
			"the SvcParam mandatory lists a key that is absent"},
		{OCTETS(MANDATORY(0, 2, 0, 4), ALPN_DOT),
			"the SvcParam mandatory lists a key that is absent"},
		{OCTETS(MANDATORY(0, 2, 0x02, 0x9b), ALPN_DOT),
			"the SvcParam mandatory lists a key that is absent"},
		{OCTETS(MANDATORY(0, 2, 0x02, 0x9b), ALPN_DOT, KEY667),
			"a SvcParam with an unknown key is mandatory"},
		{OCTETS(MANDATORY(0, 2, 0, 5), ALPN_DOT, ECH),
			"a SvcParam with an unknown key is mandatory"},
		{OCTETS(MANDATORY(0, 34, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0, 11,
			 0, 12, 0, 13, 0, 14, 0, 15, 0, 16, 0, 17)),
			"the SvcParam mandatory lists more than 16 keys"},

		{OCTETS(0, 1, 0, 0), "the SvcParam alpn is empty"},
		{OCTETS(0, 1, 0, 1, 0), "the SvcParam alpn holds an empty protocol id"},
		{OCTETS(0, 1, 0, 5, 3, 'd', 'o', 't', 0), "the SvcParam alpn holds an empty protocol id"},
		{OCTETS(0, 1, 0, 3, 3, 'd', 'o'), "the SvcParam alpn holds a protocol id that is cut off"},
		{OCTETS(0, 1, 0, 1, 1), "the SvcParam alpn holds a protocol id that is cut off"},
		{OCTETS(0, 1, 0, 34, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
			"the SvcParam alpn holds more than 16 protocol ids"},

		{OCTETS(ALPN_DOT, 0, 2, 0, 1, 0), "the SvcParam no-default-alpn has a value"},
		{OCTETS(NO_DEFAULT_ALPN), "the SvcParam no-default-alpn is there without alpn"},

		{OCTETS(0, 3, 0, 0), "the SvcParam port is not 2 octets long"},
		{OCTETS(0, 3, 0, 1, 85), "the SvcParam port is not 2 octets long"},
		{OCTETS(0, 3, 0, 3, 0, 3, 85), "the SvcParam port is not 2 octets long"},
		{OCTETS(0, 3, 0, 2, 0, 0), "the SvcParam port is 0"},

		{OCTETS(0, 4, 0, 4, 192, 0, 2, 1), "the SvcParam ipv4hint is not allowed here"},
		{OCTETS(0, 6, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
			"the SvcParam ipv6hint is not allowed here"},
		{OCTETS(0, 7, 0, 0), "the SvcParam dohpath is empty"},
		{OCTETS(0, 7, 0, 2, '/', 'q'), "the SvcParam dohpath has no variable dns"},
		{OCTETS(0xff, 0xff, 0, 0), "a SvcParam has the invalid key 65535"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(decode(cases[i].value, &why), cases[i].why);
}

static void test_ret_stays_on_failure(void **state)
{
	struct svcparams params = {.port = 7, .has_port = true};

	assert_int_equal(svcparams_decode(OCTETS(ALPN_DOT, 0, 3, 0, 1, 1), &params, NULL), -EBADMSG);
	assert_svcparams_equal(&params, &(struct svcparams){.port = 7, .has_port = true});
}

static void test_unknown_keys_have_a_limit(void **state)
{
	uint8_t data[4 * (SVCPARAMS_OTHER_MAX + 1)] = {0};
	size_t i;

	for (i = 0; i <= SVCPARAMS_OTHER_MAX; i++)
		data[4 * i + 1] = (uint8_t)(10 + i);
	assert_int_equal(decode(span_of(data, sizeof(data) - 4), NULL), 0);
	assert_refused(decode(span_of(data, sizeof(data)), &why),
		"there are more than 16 SvcParams with unknown keys");
}

/* As many as there may be, and one more. */
static void test_limits(void **state)
{
	uint8_t data[4 + 1 + SVCPARAMS_ALPN_ID_MAX] = {0, SVCPARAM_ALPN};
	size_t i, len;

	for (i = 0; i <= SVCPARAMS_ALPN_MAX; i++)
		memcpy(data + 4 + 2 * i, "\1x", 2);
	data[3] = 2 * SVCPARAMS_ALPN_MAX;
	assert_int_equal(decode(span_of(data, 4 + data[3]), NULL), 0);
	data[3] += 2;
	assert_refused(decode(span_of(data, 4 + data[3]), &why),
		"the SvcParam alpn holds more than 16 protocol ids");

	len = 1 + SVCPARAMS_ALPN_ID_MAX;
	memset(data + 4, 'x', len);
	data[2] = (uint8_t)(len >> 8);
	data[3] = (uint8_t)len;
	data[4] = SVCPARAMS_ALPN_ID_MAX;
	assert_int_equal(decode(span_of(data, 4 + len), NULL), 0);

	data[1] = SVCPARAM_MANDATORY;
	for (i = 0; i <= SVCPARAMS_MANDATORY_MAX; i++)
		memcpy(data + 4 + 2 * i, (uint8_t[]){0, (uint8_t)(1 + i)}, 2);
	data[2] = 0;
	data[3] = 2 * SVCPARAMS_MANDATORY_MAX;
	assert_refused(decode(span_of(data, 4 + data[3]), &why),
		"the SvcParam mandatory lists a key that is absent");
	data[3] += 2;
	assert_refused(decode(span_of(data, 4 + data[3]), &why),
		"the SvcParam mandatory lists more than 16 keys");
}

/* Accepted exactly where a SvcParam ends, refused everywhere else. */
static void test_every_truncation(void **state)
{
	struct span value = OCTETS(ALPN_DOT, NO_DEFAULT_ALPN, PORT_853, ECH, DOHPATH, KEY667);
	static const size_t ends[] = {0, 8, 12, 18, 23, 34, 43};
	size_t len, end = 0;

	assert_int_equal(value.len, 43);
	for (len = 0; len <= value.len; len++) {
		if (len == ends[end]) {
			assert_int_equal(decode(span_of(value.data, len), NULL), 0);
			end++;
		} else {
			assert_int_equal(decode(span_of(value.data, len), NULL), -EBADMSG);
		}
	}
}

static int encode(const struct svcparams *params, const char **ret_why)
{
	static uint8_t data[WIRE_VALUE_MAX + 100];
	struct writer writer = writer_of(data, sizeof(data));
	int r = svcparams_encode(params, &writer, ret_why);

	if (r < 0) {
		assert_int_equal(writer.len, 0);
		assert_int_equal(writer.error, 0);
	}
	return r;
}

static void test_encode_sends_nothing_that_is_refused(void **state)
{
	static uint8_t large[65536];
	struct svcparams params = {.has_port = true};

	assert_not_sent(encode(&params, &why), "the SvcParam port is 0");
	params = (struct svcparams){.no_default_alpn = true};
	assert_not_sent(encode(&params, &why), "the SvcParam no-default-alpn is there without alpn");
	params = (struct svcparams){.n_alpn = 1};
	assert_not_sent(encode(&params, &why), "the SvcParam alpn holds an empty protocol id");
	params = (struct svcparams){.n_alpn = 1, .alpn = {span_of(large, 256)}};
	assert_not_sent(encode(&params, &why), "a SvcParam's value is too long");
	params = (struct svcparams){.n_alpn = SVCPARAMS_ALPN_MAX + 1};
	assert_not_sent(encode(&params, &why), "the SvcParam alpn holds more than 16 protocol ids");
	params = (struct svcparams){.n_mandatory = 1, .mandatory = {SVCPARAM_PORT}};
	assert_not_sent(encode(&params, &why), "the SvcParam mandatory lists a key that is absent");
	params = (struct svcparams){.n_mandatory = SVCPARAMS_MANDATORY_MAX + 1};
	assert_not_sent(encode(&params, &why), "the SvcParam mandatory lists more than 16 keys");
	params = (struct svcparams){.has_dohpath = true, .dohpath = TEXT("/dns-query")};
	assert_not_sent(encode(&params, &why), "the SvcParam dohpath has no variable dns");
	params = (struct svcparams){.n_other = SVCPARAMS_OTHER_MAX + 1};
	assert_not_sent(encode(&params, &why), "there are more than 16 SvcParams with unknown keys");
	params = (struct svcparams){.n_other = 1, .other = {{SVCPARAM_IPV4HINT, TEXT("1234")}}};
	assert_not_sent(encode(&params, &why), "a SvcParam with a known key is among the unknown ones");
	params = (struct svcparams){.n_other = 1, .other = {{667, span_of(large, 65536)}}};
	assert_not_sent(encode(&params, &why), "a SvcParam's value is too long");
	params = (struct svcparams){.n_other = 2, .other = {{668, {0}}, {667, {0}}}};
	assert_not_sent(encode(&params, &why), "the SvcParams are not in ascending order of keys");
	params = (struct svcparams){.n_other = 1, .other = {{SVCPARAM_INVALID, {0}}}};
	assert_not_sent(encode(&params, &why), "a SvcParam has the invalid key 65535");
}

static void test_encode_into_too_little_room(void **state)
{
	struct span value = OCTETS(ALPN_DOT, PORT_853, DOHPATH, KEY667);
	struct svcparams params;
	struct writer writer;
	uint8_t data[64];
	size_t size;

	assert_int_equal(svcparams_decode(value, &params, NULL), 0);
	for (size = 0; size < value.len; size++) {
		struct span room = copy_exactly(span_of(data, size));

		writer = writer_of((uint8_t *)room.data, size);
		assert_int_equal(svcparams_encode(&params, &writer, NULL), -ENOBUFS);
		assert_int_equal(writer.len, 0);
		copy_free(room);
	}
	writer = writer_of(data, value.len);
	assert_int_equal(svcparams_encode(&params, &writer, NULL), 0);
}

static void test_random_round_trip(void **state)
{
	static uint8_t data[8192];
	struct svcparams params, again;
	struct svcparams_memory memory;
	struct writer writer;
	struct span copy;
	int i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		random_svcparams(&params, &memory);
		writer = writer_of(data, sizeof(data));
		assert_int_equal(svcparams_encode(&params, &writer, NULL), 0);
		copy = copy_exactly(span_of(data, writer.len));
		assert_int_equal(svcparams_decode(copy, &again, NULL), 0);
		assert_svcparams_equal(&params, &again);
		assert_same_again(copy);
		copy_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_has_alpn),
		cmocka_unit_test(test_unknown_keys_are_kept),
		cmocka_unit_test(test_refusals_have_their_reason),
		cmocka_unit_test(test_ret_stays_on_failure),
		cmocka_unit_test(test_unknown_keys_have_a_limit),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_encode_sends_nothing_that_is_refused),
		cmocka_unit_test(test_encode_into_too_little_room),
		cmocka_unit_test(test_random_round_trip),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
