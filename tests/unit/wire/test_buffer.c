#include "support.h"

#include <errno.h>

static void test_reader_takes_in_order(void **state)
{
	struct span value = copy_exactly(OCTETS(0x01, 0x02, 0x03, 0x04, 0x05));
	struct reader reader = {value};
	struct span rest;
	uint8_t u8;
	uint16_t u16;

	assert_int_equal(reader_u8(&reader, &u8), 0);
	assert_int_equal(u8, 0x01);
	assert_int_equal(reader_u16(&reader, &u16), 0);
	assert_int_equal(u16, 0x0203);
	assert_int_equal(reader_span(&reader, 2, &rest), 0);
	assert_ptr_equal(rest.data, value.data + 3);
	assert_int_equal(reader.left.len, 0);
	copy_free(value);
}

static void test_reader_refuses_beyond_the_end(void **state)
{
	struct span value = copy_exactly(OCTETS(0x07));
	struct reader reader = {value};
	struct span span = {0};
	uint8_t u8 = 0;
	uint16_t u16 = 0xaaaa;

	assert_int_equal(reader_u16(&reader, &u16), -EBADMSG);
	assert_int_equal(u16, 0xaaaa);
	assert_int_equal(reader_span(&reader, 2, &span), -EBADMSG);
	assert_int_equal(reader_span(&reader, SIZE_MAX, &span), -EBADMSG);
	assert_null(span.data);
	assert_int_equal(reader_u8(&reader, &u8), 0);
	assert_int_equal(u8, 7);
	assert_int_equal(reader_u8(&reader, &u8), -EBADMSG);
	assert_int_equal(reader_span(&reader, 0, &span), 0);
	copy_free(value);
}

static void test_reader_of_nothing(void **state)
{
	struct reader reader = {{0}};
	struct span span;
	uint8_t u8;

	assert_int_equal(reader_u8(&reader, &u8), -EBADMSG);
	assert_int_equal(reader_span(&reader, 0, &span), 0);
	assert_int_equal(span.len, 0);
}

static void test_writer_fills_to_the_last_octet(void **state)
{
	uint8_t data[6];
	struct writer writer = writer_of(data, sizeof(data));
	size_t len;

	writer_u8(&writer, 0x01);
	writer_u16(&writer, 0x0203);
	writer_span(&writer, TEXT("abc"));
	assert_int_equal(writer_finish(&writer, &len), 0);
	assert_span_equal(span_of(data, len), TEXT("\1\2\3abc"));
}

static void test_writer_overflow_sticks(void **state)
{
	uint8_t data[4] = {0, 0, 0, 0xee};
	struct writer writer = writer_of(data, 3);
	size_t len = 99;

	writer_u16(&writer, 1);
	writer_u16(&writer, 2);
	writer_u8(&writer, 3);
	assert_int_equal(writer_finish(&writer, &len), -ENOBUFS);
	assert_int_equal(len, 99);
	assert_int_equal(writer.len, 2);
	assert_int_equal(data[3], 0xee);
}

static void test_writer_lengths_must_fit_their_field(void **state)
{
	uint8_t data[8];
	struct writer writer = writer_of(data, sizeof(data));
	size_t len;

	writer_length8(&writer, 255);
	writer_length16(&writer, 65535);
	assert_int_equal(writer_finish(&writer, &len), 0);
	assert_span_equal(span_of(data, len), OCTETS(0xff, 0xff, 0xff));

	writer = writer_of(data, sizeof(data));
	writer_length8(&writer, 256);
	assert_int_equal(writer_finish(&writer, &len), -EMSGSIZE);

	writer = writer_of(data, sizeof(data));
	writer_length16(&writer, 65536);
	assert_int_equal(writer_finish(&writer, &len), -EMSGSIZE);
}

static void test_span_equal(void **state)
{
	assert_true(span_equal(TEXT("dot"), TEXT("dot")));
	assert_false(span_equal(TEXT("dot"), TEXT("doq")));
	assert_false(span_equal(TEXT("dot"), TEXT("do")));
	assert_true(span_equal((struct span){0}, TEXT("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_takes_in_order),
		cmocka_unit_test(test_reader_refuses_beyond_the_end),
		cmocka_unit_test(test_reader_of_nothing),
		cmocka_unit_test(test_writer_fills_to_the_last_octet),
		cmocka_unit_test(test_writer_overflow_sticks),
		cmocka_unit_test(test_writer_lengths_must_fit_their_field),
		cmocka_unit_test(test_span_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
