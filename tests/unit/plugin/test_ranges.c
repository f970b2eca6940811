#include "fake_ike.h"
#include "encdns_ranges.h"

#include <stdio.h>
#include <arpa/inet.h>

/**
 * The ranges of an IKE_SA as text: "10.20.0.0-10.20.0.255 ".
 */
static void assert_ranges(fake_ike_t *ike, fake_child_t *up, fake_child_t *down, const char *expected)
{
	linked_list_t *ranges = encdns_ranges_collect(&ike->public, up ? &up->public : NULL,
												  down ? &down->public : NULL);
	enumerator_t *enumerator = ranges->create_enumerator(ranges);
	char text[512] = "", first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	encdns_range_t *range;

	while (enumerator->enumerate(enumerator, &range))
	{
		inet_ntop(range->family, range->first, first, sizeof(first));
		inet_ntop(range->family, range->last, last, sizeof(last));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s-%s ", first, last);
	}
	enumerator->destroy(enumerator);
	ranges->destroy_function(ranges, free);
	assert_string_equal(text, expected);
}

static void test_installed_ones(void **state)
{
	fake_ike_t *ike = fake_ike_create(1, "corp", "10.20.9.1, 2001:db8:9::1");
	fake_child_t *a = fake_child_create("10.20.9.1/32, 2001:db8:9::1/128", "10.20.0.0/24, 2001:db8::/64");
	fake_child_t *b = fake_child_create("10.20.9.1/32", "10.30.0.0/24");

	assert_ranges(ike, NULL, NULL, "");
	assert_ranges(ike, a, NULL, "10.20.0.0-10.20.0.255 2001:db8::-2001:db8::ffff:ffff:ffff:ffff ");
	ike->children->insert_last(ike->children, a);
	ike->children->insert_last(ike->children, b);
	assert_ranges(ike, b, NULL, "10.20.0.0-10.20.0.255 2001:db8::-2001:db8::ffff:ffff:ffff:ffff "
				  "10.30.0.0-10.30.0.255 ");
	assert_ranges(ike, NULL, a, "10.30.0.0-10.30.0.255 ");
	b->state = CHILD_REKEYED;
	assert_ranges(ike, NULL, a, "");
	fake_child_destroy(a);
	fake_child_destroy(b);
	fake_ike_destroy(ike);
}

static void test_none_twice(void **state)
{
	fake_ike_t *ike = fake_ike_create(1, "corp", "10.20.9.1");
	fake_child_t *a = fake_child_create("10.20.9.1/32", "0.0.0.0/0");
	fake_child_t *b = fake_child_create("10.20.9.1/32", "0.0.0.0/0");

	ike->children->insert_last(ike->children, a);
	ike->children->insert_last(ike->children, b);
	assert_ranges(ike, NULL, NULL, "0.0.0.0-255.255.255.255 ");
	fake_child_destroy(a);
	fake_child_destroy(b);
	fake_ike_destroy(ike);
}

/* What is for some ports only would have our DNS leave outside the tunnel. */
static void test_not_for_one_port(void **state)
{
	fake_ike_t *ike = fake_ike_create(1, "corp", "10.20.9.1");
	fake_child_t *a = fake_child_create_port("10.20.9.1/32", "0.0.0.0/0", 80);

	assert_ranges(ike, a, NULL, "");
	fake_child_destroy(a);
	fake_ike_destroy(ike);
}

static void test_not_from_elsewhere(void **state)
{
	fake_ike_t *ike = fake_ike_create(1, "corp", "10.20.9.1");
	fake_child_t *a = fake_child_create("192.168.0.0/16", "10.20.0.0/24");
	fake_child_t *b = fake_child_create("10.20.9.1/32", "2001:db8::/64");

	assert_ranges(ike, a, NULL, "");
	assert_ranges(ike, b, NULL, "");
	fake_child_destroy(a);
	fake_child_destroy(b);
	fake_ike_destroy(ike);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_installed_ones),
		cmocka_unit_test(test_none_twice),
		cmocka_unit_test(test_not_for_one_port),
		cmocka_unit_test(test_not_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
