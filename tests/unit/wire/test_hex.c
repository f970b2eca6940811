#include "support.h"

#include <errno.h>
#include <string.h>
#include "wire/hex.h"

static void test_decode_takes_either_case(void **state)
{
	struct span text = copy_exactly(TEXT("00aBfF19"));
	uint8_t data[4];

	assert_int_equal(hex_decode(text, data, sizeof(data)), 0);
	assert_span_equal(span_of(data, sizeof(data)), OCTETS(0x00, 0xab, 0xff, 0x19));
	copy_free(text);
}

static void test_decode_refuses(void **state)
{
	uint8_t data[3] = {1, 2, 3};

	assert_int_equal(hex_decode(TEXT("abc"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("0g"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("@0"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("0:"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("0`"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT(" 0"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("0\0"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("00000000"), data, 3), -EINVAL);
	assert_int_equal(hex_decode(TEXT("0000zz"), data, 3), -EINVAL);
	assert_span_equal(span_of(data, 3), OCTETS(1, 2, 3));
}

static void test_encode_writes_upper_case(void **state)
{
	char text[8];

	hex_encode(OCTETS(0x00, 0xab, 0xff, 0x19), text);
	assert_memory_equal(text, "00ABFF19", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_takes_either_case),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_encode_writes_upper_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
