#include "support.h"

#include <errno.h>
#include <string.h>
#include "wire/digest.h"

/* RFC 9464, appendix A.1, prints the first 12 octets of its digest: the rest is ours. */
#define SHA256                                                                                     \
	0x8b, 0x6e, 0x7a, 0x59, 0x71, 0xcc, 0x6b, 0xb0, 0xb4, 0xdb, 0x5a, 0x71, 0x0d, 0x0e, 0x0f,      \
		0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,  \
		0x1f, 0x20
#define ADN 'd', 'o', 'h', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.', 'c', 'o', 'm'

#define FIGURE_5 3, 0, 0, 2, 0, 3, 0, 4
#define FIGURE_6 1, 0, 0, 2, SHA256
#define NAMED 1, 15, ADN, 0, 2, SHA256

static int decode_request(struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct digest_request request;
	int r = digest_request_decode(copy, &request, ret_why);

	copy_free(copy);
	return r;
}

static int decode_reply(struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct digest_reply reply;
	int r = digest_reply_decode(copy, &reply, ret_why);

	copy_free(copy);
	return r;
}

/* Decodes, and says what the judgement is. */
static const char *fault_of(struct span value, const struct digest_request *asked)
{
	struct span copy = copy_exactly(value);
	struct digest_reply reply;
	const char *fault;

	assert_int_equal(digest_reply_decode(copy, &reply, NULL), 0);
	fault = digest_reply_fault(&reply, asked);
	copy_free(copy);
	return fault;
}

static void assert_request_same_again(struct span value)
{
	struct digest_request request;
	uint8_t data[512];
	size_t len;

	assert_int_equal(digest_request_decode(value, &request, NULL), 0);
	assert_int_equal(digest_request_encode(&request, data, sizeof(data), &len, NULL), 0);
	assert_span_equal(span_of(data, len), value);
}

static void assert_reply_same_again(struct span value)
{
	struct digest_reply reply;
	uint8_t data[512];
	size_t len;

	assert_int_equal(digest_reply_decode(value, &reply, NULL), 0);
	assert_int_equal(digest_reply_encode(&reply, data, sizeof(data), &len, NULL), 0);
	assert_span_equal(span_of(data, len), value);
}

static void test_algorithms(void **state)
{
	static const struct digest_algorithm expected[] = {
		{2, "sha256", 32},
		{3, "sha384", 48},
		{4, "sha512", 64},
	};
	const struct digest_algorithm *algorithm;
	size_t i;

	for (i = 0; i < 3; i++) {
		algorithm = digest_algorithm_at(i);
		assert_int_equal(algorithm->id, expected[i].id);
		assert_string_equal(algorithm->name, expected[i].name);
		assert_int_equal(algorithm->length, expected[i].length);
		assert_ptr_equal(digest_algorithm_by_id(expected[i].id), algorithm);
		assert_ptr_equal(digest_algorithm_by_name(span_from_string(expected[i].name)), algorithm);
	}
	assert_null(digest_algorithm_at(3));
	assert_null(digest_algorithm_by_id(1)); /* SHA-1 */
	assert_null(digest_algorithm_by_id(5)); /* identity */
	assert_null(digest_algorithm_by_name(TEXT("sha1")));
	assert_null(digest_algorithm_by_name(TEXT("sha25")));
}

#define HEX32 "8B6E7A5971CC6BB0B4DB5A710d0e0f101112131415161718191a1b1c1d1e1f20"

static void test_parse(void **state)
{
	const struct digest_algorithm *algorithm = NULL;
	uint8_t digest[DIGEST_LENGTH_MAX];

	assert_int_equal(digest_parse(TEXT("sha256:" HEX32), &algorithm, digest, NULL), 0);
	assert_int_equal(algorithm->id, DIGEST_SHA2_256);
	assert_span_equal(span_of(digest, 32), OCTETS(SHA256));
	assert_int_equal(digest_parse(TEXT("sha512:" HEX32 HEX32), &algorithm, digest, NULL), 0);
	assert_int_equal(algorithm->id, DIGEST_SHA2_512);

	assert_not_sent(digest_parse(TEXT(HEX32), &algorithm, digest, &why),
		"the pin has no colon, as in sha256:HEX");
	assert_not_sent(
		digest_parse(TEXT(""), &algorithm, digest, &why), "the pin has no colon, as in sha256:HEX");
	assert_not_sent(digest_parse(TEXT("md5:" HEX32), &algorithm, digest, &why),
		"the pin's algorithm is not sha256, sha384 or sha512");
	assert_not_sent(digest_parse(TEXT("sha384:" HEX32), &algorithm, digest, &why),
		"the pin's length is not that of its algorithm");
	assert_not_sent(digest_parse(TEXT("sha256:" HEX32 "00"), &algorithm, digest, &why),
		"the pin's length is not that of its algorithm");
	assert_not_sent(digest_parse(TEXT("sha256:"), &algorithm, digest, &why),
		"the pin's length is not that of its algorithm");
	assert_not_sent(digest_parse(TEXT("sha256:x"
									  "B6E7A5971CC6BB0B4DB5A710d0e0f101112131415161718191a"
									  "1b1c1d1e1f20"),
						&algorithm, digest, &why),
		"the pin is not in hex digits");
	assert_int_equal(algorithm->id, DIGEST_SHA2_512);
}

static void test_a1_request(void **state)
{
	struct digest_request request;

	assert_int_equal(digest_request_decode(OCTETS(FIGURE_5), &request, NULL), 0);
	assert_int_equal(request.n_algorithms, 3);
	assert_int_equal(request.algorithms[0], DIGEST_SHA2_256);
	assert_int_equal(request.algorithms[1], DIGEST_SHA2_384);
	assert_int_equal(request.algorithms[2], DIGEST_SHA2_512);
	assert_request_same_again(OCTETS(FIGURE_5));
	assert_request_same_again(OCTETS(1, 0, 0xff, 0xfe));
}

static void test_a1_reply(void **state)
{
	struct digest_reply reply;

	assert_int_equal(digest_reply_decode(OCTETS(FIGURE_6), &reply, NULL), 0);
	assert_int_equal(reply.adn.len, 0);
	assert_int_equal(reply.algorithm, DIGEST_SHA2_256);
	assert_span_equal(reply.digest, OCTETS(SHA256));
	assert_null(digest_reply_fault(&reply, NULL));
	assert_reply_same_again(OCTETS(FIGURE_6));
}

static void test_reply_with_adn(void **state)
{
	struct digest_reply reply;

	assert_int_equal(digest_reply_decode(OCTETS(NAMED), &reply, NULL), 0);
	assert_span_equal(reply.adn, TEXT("doh.example.com"));
	assert_span_equal(reply.digest, OCTETS(SHA256));
	assert_reply_same_again(OCTETS(NAMED));
	assert_int_equal(digest_reply_decode(OCTETS(1, 2, 'a', '.', 0, 2, SHA256), &reply, NULL), 0);
	assert_span_equal(reply.adn, TEXT("a"));
}

static void test_request_refusals(void **state)
{
	assert_refused(decode_request((struct span){0}, &why), "the value is shorter than 2 octets");
	assert_refused(decode_request(OCTETS(1), &why), "the value is shorter than 2 octets");
	assert_refused(decode_request(OCTETS(1, 1, 'a', 0, 2), &why), "a request names an ADN");
	assert_refused(decode_request(OCTETS(0, 0), &why), "no hash algorithm is listed");
	assert_refused(decode_request(OCTETS(2, 0, 0, 2), &why), "the hash algorithms are cut off");
	assert_refused(decode_request(OCTETS(2, 0, 0, 2, 0), &why), "the hash algorithms are cut off");
	assert_refused(
		decode_request(OCTETS(1, 0, 0, 2, 0), &why), "there is more than the hash algorithms");
	assert_refused(
		decode_request(OCTETS(1, 0, 0, 2, 0, 3), &why), "there is more than the hash algorithms");
}

static void test_reply_refusals(void **state)
{
	struct digest_reply reply = {.algorithm = 7};

	assert_refused(decode_reply((struct span){0}, &why), "the value is shorter than 2 octets");
	assert_refused(decode_reply(OCTETS(1, 2, 'a'), &why), "the ADN is cut off");
	assert_refused(decode_reply(OCTETS(1, 2, 'a', 0, 0, 2, SHA256), &why),
		"the ADN holds a control character");
	assert_refused(decode_reply(OCTETS(1, 3, 'a', '_', 'b', 0, 2, SHA256), &why),
		"the ADN holds an underscore");
	assert_int_equal(digest_reply_decode(OCTETS(1, 2, 'a'), &reply, NULL), -EBADMSG);
	assert_int_equal(reply.algorithm, 7);
}

/* I14: these decode, name their ADN, and are faulty. */
static void test_faults(void **state)
{
	const struct digest_request sha384_512 = {{DIGEST_SHA2_384, DIGEST_SHA2_512}, 2};
	const struct digest_request sha256 = {{DIGEST_SHA2_256}, 1};
	const struct digest_request sha1 = {{1}, 1};
	struct digest_reply reply;

	assert_null(fault_of(OCTETS(NAMED), &sha256));
	assert_string_equal(
		fault_of(OCTETS(NAMED), &sha384_512), "the digest's algorithm was not asked for");
	assert_string_equal(
		fault_of(OCTETS(1, 1, 'a', 0, 1, SHA256), &sha1), "the digest's algorithm is unknown");
	assert_string_equal(
		fault_of(OCTETS(1, 1, 'a', 0, 1, SHA256), NULL), "the digest's algorithm is unknown");
	assert_string_equal(fault_of(OCTETS(1, 1, 'a', 0, 3, SHA256), NULL),
		"the digest's length is not that of its algorithm");
	assert_string_equal(fault_of(OCTETS(1, 1, 'a', 0, 2, SHA256, 0), NULL),
		"the digest's length is not that of its algorithm");
	assert_string_equal(fault_of(OCTETS(1, 1, 'a', 0, 2), NULL),
		"the digest's length is not that of its algorithm");
	assert_string_equal(fault_of(OCTETS(1, 1, 'a', 0), NULL), "the hash algorithm is cut off");
	assert_string_equal(fault_of(OCTETS(2, 1, 'a', 0, 2, 0, 3, SHA256), NULL),
		"the number of hash algorithms is not 1");
	assert_string_equal(
		fault_of(OCTETS(0, 1, 'a'), NULL), "the number of hash algorithms is not 1");

	assert_int_equal(digest_reply_decode(OCTETS(2, 1, 'a', 0, 2, SHA256), &reply, NULL), 0);
	assert_span_equal(reply.adn, TEXT("a"));
}

static void test_every_truncation_of_a_request(void **state)
{
	struct span value = OCTETS(FIGURE_5);
	size_t len;

	for (len = 0; len < value.len; len++)
		assert_int_equal(decode_request(span_of(value.data, len), NULL), -EBADMSG);
	assert_int_equal(decode_request(value, NULL), 0);
}

/* Refused until the ADN is whole, then faulty until the digest is. */
static void sweep_reply(struct span value, size_t adn_end)
{
	size_t len;

	for (len = 0; len < adn_end; len++)
		assert_int_equal(decode_reply(span_of(value.data, len), NULL), -EBADMSG);
	for (; len < value.len; len++)
		assert_non_null(fault_of(span_of(value.data, len), NULL));
	assert_null(fault_of(value, NULL));
}

static void test_every_truncation_of_a_reply(void **state)
{
	sweep_reply(OCTETS(FIGURE_6), 2);
	sweep_reply(OCTETS(NAMED), 17);
}

static void test_encode_sends_nothing_that_is_refused(void **state)
{
	struct digest_request request = {.n_algorithms = 0};
	struct digest_reply reply;
	uint8_t data[2 + 2 * DIGEST_ALGORITHMS_MAX];
	size_t len;

	request.n_algorithms = DIGEST_ALGORITHMS_MAX;
	assert_int_equal(digest_request_encode(&request, data, sizeof(data), &len, NULL), 0);
	request.n_algorithms = 0;
	len = 99;
	assert_not_sent(digest_request_encode(&request, data, sizeof(data), &len, &why),
		"no hash algorithm is listed");
	request.n_algorithms = DIGEST_ALGORITHMS_MAX + 1;
	assert_not_sent(digest_request_encode(&request, data, sizeof(data), &len, &why),
		"more than 255 hash algorithms are listed");

	reply = (struct digest_reply){.algorithm = 2, .digest = OCTETS(SHA256)};
	assert_int_equal(digest_reply_encode(&reply, data, 35, &len, NULL), -ENOBUFS);
	assert_int_equal(len, 99);
	reply.adn = TEXT("a b");
	assert_not_sent(digest_reply_encode(&reply, data, sizeof(data), &len, &why),
		"the ADN holds a character that names don't have");
	reply.adn = TEXT("");
	reply.algorithm = 3;
	assert_not_sent(digest_reply_encode(&reply, data, sizeof(data), &len, &why),
		"the digest's length is not that of its algorithm");
	reply.fault = "the hash algorithm is cut off";
	assert_not_sent(digest_reply_encode(&reply, data, sizeof(data), &len, &why), reply.fault);
	reply.fault = NULL;
	reply.algorithm = 9; /* of any length */
	assert_int_equal(digest_reply_encode(&reply, data, sizeof(data), &len, NULL), 0);
}

static void test_random_round_trip(void **state)
{
	uint8_t data[600], digest[DIGEST_LENGTH_MAX];
	const struct digest_algorithm *algorithm;
	struct digest_request request, request_again;
	struct digest_reply reply, reply_again;
	char adn[NAME_SIZE];
	struct span copy;
	size_t i, len;
	int round;

	for (round = 0; round < RANDOM_ROUNDS; round++) {
		request = (struct digest_request){.n_algorithms = 1 + random_below(DIGEST_ALGORITHMS_MAX)};
		for (i = 0; i < request.n_algorithms; i++)
			request.algorithms[i] = (uint16_t)random_below(65536);
		assert_int_equal(digest_request_encode(&request, data, sizeof(data), &len, NULL), 0);
		copy = copy_exactly(span_of(data, len));
		assert_int_equal(digest_request_decode(copy, &request_again, NULL), 0);
		assert_memory_equal(&request, &request_again, sizeof(request));
		copy_free(copy);

		algorithm = digest_algorithm_at(random_below(3));
		random_octets(digest, algorithm->length);
		reply = (struct digest_reply){
			.algorithm = algorithm->id,
			.digest = span_of(digest, algorithm->length),
		};
		if (random_below(2))
			reply.adn = span_of(adn, random_name(adn, false));
		assert_int_equal(digest_reply_encode(&reply, data, sizeof(data), &len, NULL), 0);
		copy = copy_exactly(span_of(data, len));
		assert_int_equal(digest_reply_decode(copy, &reply_again, NULL), 0);
		assert_span_equal(reply.adn, reply_again.adn);
		assert_int_equal(reply.algorithm, reply_again.algorithm);
		assert_span_equal(reply.digest, reply_again.digest);
		assert_null(digest_reply_fault(&reply_again, NULL));
		copy_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_a1_request),
		cmocka_unit_test(test_a1_reply),
		cmocka_unit_test(test_reply_with_adn),
		cmocka_unit_test(test_request_refusals),
		cmocka_unit_test(test_reply_refusals),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_every_truncation_of_a_request),
		cmocka_unit_test(test_every_truncation_of_a_reply),
		cmocka_unit_test(test_encode_sends_nothing_that_is_refused),
		cmocka_unit_test(test_random_round_trip),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
