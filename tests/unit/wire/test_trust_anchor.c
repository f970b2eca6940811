#include "support.h"

#include <errno.h>
#include <string.h>
#include "wire/trust_anchor.h"

/* RFC 8598, section 3.4.2: 43547, 8, 1 and 31406, 8, 2, with digests of ours. */
#define HEAD_SHA1 0xaa, 0x1b, 8, 1
#define HEAD_SHA256 0x7a, 0xae, 8, 2
#define HEAD_SHA384 0x7a, 0xae, 13, 4
#define RAW10 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x00, 0xff
#define HEX10                                                                                      \
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', '0', '0', 'F', \
		'F'
#define RAW_SHA1 RAW10, RAW10
#define HEX_SHA1 HEX10, HEX10
#define RAW_SHA256 RAW10, RAW10, RAW10, 0x12, 0x34
#define HEX_SHA256 HEX10, HEX10, HEX10, '1', '2', '3', '4'
#define RAW_SHA384 RAW_SHA1, RAW_SHA1, 1, 2, 3, 4, 5, 6, 7, 8
#define HEX_SHA384                                                                                 \
	HEX_SHA1, HEX_SHA1, '0', '1', '0', '2', '0', '3', '0', '4', '0', '5', '0', '6', '0', '7', '0', \
		'8'

static int decode(enum wire_message message, struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct trust_anchor anchor;
	int r = trust_anchor_decode(message, copy, &anchor, ret_why);

	copy_free(copy);
	return r;
}

static void test_hex_and_raw_digests_of_each_type(void **state)
{
	const struct {
		struct span hex, raw, digest;
		uint16_t key_tag;
		uint8_t algorithm, type;
	} cases[] = {
		{OCTETS(HEAD_SHA1, HEX_SHA1), OCTETS(HEAD_SHA1, RAW_SHA1), OCTETS(RAW_SHA1), 43547, 8, 1},
		{OCTETS(HEAD_SHA256, HEX_SHA256), OCTETS(HEAD_SHA256, RAW_SHA256), OCTETS(RAW_SHA256),
			31406, 8, 2},
		{OCTETS(HEAD_SHA384, HEX_SHA384), OCTETS(HEAD_SHA384, RAW_SHA384), OCTETS(RAW_SHA384),
			31406, 13, 4},
	};
	uint8_t data[TRUST_ANCHOR_VALUE_MAX];
	struct trust_anchor hex, raw;
	size_t i, len;

	for (i = 0; i < 3; i++) {
		assert_int_equal(trust_anchor_decode(WIRE_REPLY, cases[i].hex, &hex, NULL), 0);
		assert_int_equal(trust_anchor_decode(WIRE_REQUEST, cases[i].raw, &raw, NULL), 0);
		assert_false(hex.empty);
		assert_int_equal(hex.key_tag, cases[i].key_tag);
		assert_int_equal(hex.algorithm, cases[i].algorithm);
		assert_int_equal(hex.digest_type, cases[i].type);
		assert_span_equal(span_of(hex.digest, hex.digest_length), cases[i].digest);
		assert_span_equal(span_of(raw.digest, raw.digest_length), cases[i].digest);
		/* Hex digits are what is sent. */
		assert_int_equal(trust_anchor_encode(WIRE_REPLY, &raw, data, sizeof(data), &len, NULL), 0);
		assert_span_equal(span_of(data, len), cases[i].hex);
	}
}

static void test_lower_case_hex(void **state)
{
	uint8_t value[4 + 40] = {HEAD_SHA1};
	struct trust_anchor anchor;

	memset(value + 4, 'f', 40);
	assert_int_equal(
		trust_anchor_decode(WIRE_REPLY, span_of(value, sizeof(value)), &anchor, NULL), 0);
	assert_int_equal(anchor.digest[19], 0xff);
}

static void test_only_a_request_may_be_empty(void **state)
{
	struct trust_anchor anchor;
	size_t len;

	assert_int_equal(trust_anchor_decode(WIRE_REQUEST, (struct span){0}, &anchor, NULL), 0);
	assert_true(anchor.empty);
	assert_int_equal(trust_anchor_encode(WIRE_REQUEST, &anchor, NULL, 0, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_refused(
		decode(WIRE_REPLY, (struct span){0}, &why), "the value is shorter than 4 octets");
	assert_not_sent(trust_anchor_encode(WIRE_REPLY, &anchor, NULL, 0, &len, &why),
		"a reply holds no trust anchor");
}

static void test_refusals(void **state)
{
	struct trust_anchor anchor = {.key_tag = 7};

	assert_refused(decode(WIRE_REPLY, OCTETS(0, 1, 8), &why), "the value is shorter than 4 octets");
	assert_refused(decode(WIRE_REPLY, OCTETS(0, 1, 8, 0, RAW_SHA1), &why),
		"the digest type is not SHA-1, SHA-256 or SHA-384");
	assert_refused(decode(WIRE_REPLY, OCTETS(0, 1, 8, 3, RAW_SHA256), &why),
		"the digest type is not SHA-1, SHA-256 or SHA-384");
	assert_refused(
		decode(WIRE_REPLY, OCTETS(HEAD_SHA1), &why), "the digest's length is not that of its type");
	assert_refused(decode(WIRE_REPLY, OCTETS(HEAD_SHA256, RAW_SHA1), &why),
		"the digest's length is not that of its type");
	assert_refused(decode(WIRE_REPLY, OCTETS(HEAD_SHA1, RAW_SHA1, 0), &why),
		"the digest's length is not that of its type");
	assert_refused(decode(WIRE_REPLY, OCTETS(HEAD_SHA1, RAW_SHA1, HEX10, HEX10), &why),
		"the digest's length is not that of its type");
	assert_refused(decode(WIRE_REPLY, OCTETS(HEAD_SHA1, RAW_SHA1, RAW_SHA1), &why),
		"the digest is not in hex digits");
	assert_int_equal(trust_anchor_decode(WIRE_REPLY, OCTETS(HEAD_SHA1), &anchor, NULL), -EBADMSG);
	assert_int_equal(anchor.key_tag, 7);
}

/* Half of the hex digits are as many octets as a raw digest has: the one cut that is accepted. */
static void sweep(struct span value, size_t raw_len)
{
	size_t len;

	for (len = 0; len <= value.len; len++)
		assert_int_equal(decode(WIRE_REPLY, span_of(value.data, len), NULL),
			len == raw_len || len == value.len ? 0 : -EBADMSG);
}

static void test_every_truncation(void **state)
{
	sweep(OCTETS(HEAD_SHA1, HEX_SHA1), 24);
	sweep(OCTETS(HEAD_SHA256, HEX_SHA256), 36);
	sweep(OCTETS(HEAD_SHA384, HEX_SHA384), 52);
	sweep(OCTETS(HEAD_SHA256, RAW_SHA256), 36);
}

static void test_encode_sends_nothing_that_is_refused(void **state)
{
	struct trust_anchor anchor = {.digest_type = 3, .digest_length = 32};
	uint8_t data[TRUST_ANCHOR_VALUE_MAX];
	size_t len = 99;

	assert_not_sent(trust_anchor_encode(WIRE_REPLY, &anchor, data, sizeof(data), &len, &why),
		"the digest type is not SHA-1, SHA-256 or SHA-384");
	anchor.digest_type = 1;
	assert_not_sent(trust_anchor_encode(WIRE_REPLY, &anchor, data, sizeof(data), &len, &why),
		"the digest's length is not that of its type");
	anchor.digest_length = 20;
	assert_int_equal(trust_anchor_encode(WIRE_REPLY, &anchor, data, 43, &len, NULL), -ENOBUFS);
	assert_int_equal(len, 99);
	assert_int_equal(trust_anchor_encode(WIRE_REPLY, &anchor, data, 44, &len, NULL), 0);
}

static void test_random_round_trip(void **state)
{
	static const uint8_t types[] = {1, 2, 4};
	uint8_t data[TRUST_ANCHOR_VALUE_MAX];
	struct trust_anchor anchor, again;
	struct span copy;
	size_t len;
	int i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		anchor = (struct trust_anchor){
			.key_tag = (uint16_t)random_below(65536),
			.algorithm = (uint8_t)random_below(256),
			.digest_type = types[random_below(3)],
		};
		anchor.digest_length = trust_anchor_digest_length(anchor.digest_type);
		random_octets(anchor.digest, anchor.digest_length);
		assert_int_equal(
			trust_anchor_encode(WIRE_REPLY, &anchor, data, sizeof(data), &len, NULL), 0);
		copy = copy_exactly(span_of(data, len));
		assert_int_equal(trust_anchor_decode(WIRE_REPLY, copy, &again, NULL), 0);
		assert_int_equal(again.key_tag, anchor.key_tag);
		assert_int_equal(again.algorithm, anchor.algorithm);
		assert_int_equal(again.digest_type, anchor.digest_type);
		assert_span_equal(span_of(again.digest, again.digest_length),
			span_of(anchor.digest, anchor.digest_length));
		copy_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_and_raw_digests_of_each_type),
		cmocka_unit_test(test_lower_case_hex),
		cmocka_unit_test(test_only_a_request_may_be_empty),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_encode_sends_nothing_that_is_refused),
		cmocka_unit_test(test_random_round_trip),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
