#include "support.h"

#include "wire/attribute.h"

static void test_numbers_and_names_are_the_registered_ones(void **state)
{
	assert_string_equal(wire_attribute_name(3), "INTERNAL_IP4_DNS");
	assert_string_equal(wire_attribute_name(10), "INTERNAL_IP6_DNS");
	assert_string_equal(wire_attribute_name(25), "INTERNAL_DNS_DOMAIN");
	assert_string_equal(wire_attribute_name(26), "INTERNAL_DNSSEC_TA");
	assert_string_equal(wire_attribute_name(27), "ENCDNS_IP4");
	assert_string_equal(wire_attribute_name(28), "ENCDNS_IP6");
	assert_string_equal(wire_attribute_name(29), "ENCDNS_DIGEST_INFO");
	assert_null(wire_attribute_name(30));
	assert_null(wire_attribute_name(0));
}

static void test_address_lengths(void **state)
{
	assert_int_equal(wire_address_length(WIRE_INTERNAL_IP4_DNS), 4);
	assert_int_equal(wire_address_length(WIRE_INTERNAL_IP6_DNS), 16);
	assert_int_equal(wire_address_length(WIRE_ENCDNS_IP4), 4);
	assert_int_equal(wire_address_length(WIRE_ENCDNS_IP6), 16);
	assert_int_equal(wire_address_length(WIRE_ENCDNS_DIGEST_INFO), 0);
	assert_int_equal(wire_address_length(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_and_names_are_the_registered_ones),
		cmocka_unit_test(test_address_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
