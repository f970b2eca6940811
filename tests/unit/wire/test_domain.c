#include "support.h"

#include <errno.h>
#include "wire/domain.h"

static int decode(enum wire_message message, struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct span name;
	int r = domain_decode(message, copy, &name, ret_why);

	copy_free(copy);
	return r;
}

/* RFC 9464, appendix A.3, and RFC 8598, section 3.4. */
static void test_domain_in_both_directions(void **state)
{
	struct span name;

	assert_int_equal(domain_decode(WIRE_REPLY, TEXT("example.com"), &name, NULL), 0);
	assert_span_equal(name, TEXT("example.com"));
	assert_int_equal(domain_decode(WIRE_REQUEST, TEXT("city.other.test"), &name, NULL), 0);
	assert_span_equal(name, TEXT("city.other.test"));
}

static void test_only_a_request_may_be_empty(void **state)
{
	struct span name = TEXT("as it was");

	assert_refused(decode(WIRE_REPLY, (struct span){0}, &why), "the domain is empty");
	assert_int_equal(domain_decode(WIRE_REPLY, (struct span){0}, &name, NULL), -EBADMSG);
	assert_span_equal(name, TEXT("as it was"));
	assert_int_equal(domain_decode(WIRE_REQUEST, (struct span){0}, &name, NULL), 0);
	assert_int_equal(name.len, 0);
}

static void test_trailing_dot_root_and_underscore(void **state)
{
	struct span name;

	assert_int_equal(domain_decode(WIRE_REPLY, TEXT("Corp.example."), &name, NULL), 0);
	assert_span_equal(name, TEXT("Corp.example"));
	assert_int_equal(domain_decode(WIRE_REPLY, TEXT("."), &name, NULL), 0);
	assert_span_equal(name, TEXT("."));
	assert_int_equal(domain_decode(WIRE_REPLY, TEXT("_msdcs.corp.example"), &name, NULL), 0);
}

static void test_refusals(void **state)
{
	assert_refused(
		decode(WIRE_REPLY, TEXT("corp.example\0"), &why), "the domain holds a control character");
	assert_refused(decode(WIRE_REPLY, TEXT("*.corp.example"), &why),
		"the domain holds a character that names don't have");
	assert_refused(decode(WIRE_REQUEST, TEXT("corp example"), &why),
		"the domain holds a character that names don't have");
	assert_refused(
		decode(WIRE_REPLY, TEXT("corp..example"), &why), "the domain has an empty label");
}

/* Every beginning of a domain is one too; nothing more than the value is read. */
static void test_every_truncation(void **state)
{
	struct span value = TEXT("corp.example.com");
	size_t len;

	assert_int_equal(decode(WIRE_REPLY, span_of(value.data, 0), NULL), -EBADMSG);
	for (len = 1; len <= value.len; len++)
		assert_int_equal(decode(WIRE_REPLY, span_of(value.data, len), NULL), 0);
}

static void test_encode(void **state)
{
	uint8_t data[16];
	size_t len = 99;

	assert_not_sent(domain_encode(WIRE_REPLY, (struct span){0}, data, sizeof(data), &len, &why),
		"the domain is empty");
	assert_not_sent(domain_encode(WIRE_REPLY, TEXT("a b"), data, sizeof(data), &len, &why),
		"the domain holds a character that names don't have");
	assert_int_equal(
		domain_encode(WIRE_REPLY, TEXT("example.com"), data, 10, &len, NULL), -ENOBUFS);
	assert_int_equal(len, 99);
	assert_int_equal(domain_encode(WIRE_REPLY, TEXT("example.com."), data, 11, &len, NULL), 0);
	assert_span_equal(span_of(data, len), TEXT("example.com"));
	assert_int_equal(domain_encode(WIRE_REQUEST, (struct span){0}, data, 0, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_int_equal(domain_encode(WIRE_REPLY, TEXT("."), data, 1, &len, NULL), 0);
	assert_span_equal(span_of(data, len), TEXT("."));
}

static void test_random_round_trip(void **state)
{
	uint8_t data[NAME_LENGTH_MAX];
	struct span copy, name, again;
	char text[NAME_SIZE];
	size_t len;
	int i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		name = span_of(text, random_name(text, true));
		assert_int_equal(domain_encode(WIRE_REPLY, name, data, sizeof(data), &len, NULL), 0);
		copy = copy_exactly(span_of(data, len));
		assert_int_equal(domain_decode(WIRE_REPLY, copy, &again, NULL), 0);
		assert_span_equal(name, again);
		copy_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain_in_both_directions),
		cmocka_unit_test(test_only_a_request_may_be_empty),
		cmocka_unit_test(test_trailing_dot_root_and_underscore),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_random_round_trip),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
