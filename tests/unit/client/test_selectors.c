#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "client-helper/selectors.h"

static struct range range(const char *first, const char *last)
{
	struct address a, b;
	struct range range;

	assert_int_equal(address_from_text(first, &a), 0);
	assert_int_equal(address_from_text(last, &b), 0);
	assert_int_equal(range_make(&a, &b, &range), 0);
	return range;
}

static bool contains(const struct range *ranges, size_t n, const char *text)
{
	struct address address;

	assert_int_equal(address_from_text(text, &address), 0);
	return selectors_contain(ranges, n, &address);
}

static void test_covers_whole(void **state)
{
	struct range v4[] = {range("0.0.0.0", "255.255.255.255")};
	struct range v6[] = {range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")};

	assert_true(selectors_cover(v4, 1, AF_INET));
	assert_false(selectors_cover(v4, 1, AF_INET6));
	assert_true(selectors_cover(v6, 1, AF_INET6));
	assert_false(selectors_cover(v6, 1, AF_INET));
	assert_false(selectors_cover(NULL, 0, AF_INET));
}

static void test_covers_in_pieces(void **state)
{
	/* Adjacent, in no order; what OpenVPN's def1 does. */
	struct range halves[] = {
		range("128.0.0.0", "255.255.255.255"),
		range("0.0.0.0", "127.255.255.255"),
	};
	/* Overlapping, one inside another. */
	struct range overlap[] = {
		range("100.0.0.0", "255.255.255.255"),
		range("110.0.0.0", "111.0.0.0"),
		range("0.0.0.0", "200.0.0.0"),
		range("::", "ffff::"),
	};

	assert_true(selectors_cover(halves, 2, AF_INET));
	assert_true(selectors_cover(overlap, 4, AF_INET));
	assert_false(selectors_cover(overlap, 4, AF_INET6));
}

static void test_gap_of_one(void **state)
{
	struct range gap[] = {
		range("0.0.0.0", "9.255.255.255"),
		range("10.0.0.1", "255.255.255.255"),
	};
	struct range without_last[] = {range("0.0.0.0", "255.255.255.254")};
	struct range without_first[] = {range("0.0.0.1", "255.255.255.255")};

	assert_false(selectors_cover(gap, 2, AF_INET));
	assert_false(selectors_cover(without_last, 1, AF_INET));
	assert_false(selectors_cover(without_first, 1, AF_INET));
}

static void test_contains(void **state)
{
	struct range ranges[] = {
		range("10.20.0.0", "10.20.255.255"),
		range("2001:db8:20::", "2001:db8:20:ffff:ffff:ffff:ffff:ffff"),
	};

	assert_true(contains(ranges, 2, "10.20.0.0"));
	assert_true(contains(ranges, 2, "10.20.255.255"));
	assert_false(contains(ranges, 2, "10.19.255.255"));
	assert_false(contains(ranges, 2, "10.21.0.0"));
	assert_true(contains(ranges, 2, "2001:db8:20::53"));
	assert_false(contains(ranges, 2, "2001:db8:21::53"));
}

static void test_upside_down(void **state)
{
	struct address low = {.family = AF_INET}, high = {.family = AF_INET},
				   other = {.family = AF_INET6};
	struct range unused;

	high.bytes[3] = 1;
	assert_int_equal(range_make(&high, &low, &unused), -EINVAL);
	assert_int_equal(range_make(&low, &other, &unused), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_covers_whole),
		cmocka_unit_test(test_covers_in_pieces),
		cmocka_unit_test(test_gap_of_one),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_upside_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
