#include "support.h"
#include "encdns_option.h"

static void test_every_option_is_whole(void **state)
{
	const encdns_option_t *option;
	u_int i;

	for (i = 0; (option = encdns_option_at(i)); i++)
	{
		assert_non_null(option->value);
		assert_non_null(option->help);
		/* strongSwan's settings have no keys with dots */
		assert_null(strchr(option->name, '.'));
		assert_ptr_equal(encdns_option_find(option->role, option->name), option);
		assert_true(!option->choices || option->value == &encdns_value_choice);
		assert_false(option->required && option->standard);
	}
	assert_true(i > 20);
}

static void test_guess(void **state)
{
	assert_string_equal(encdns_option_guess(ENCDNS_GATEWAY, "pool"), "pools");
	assert_string_equal(encdns_option_guess(ENCDNS_LAPTOP, "accept_domains"), "accept-domains");
	assert_string_equal(encdns_option_guess(ENCDNS_RESOLVER, "address"), "addresses");
	assert_null(encdns_option_guess(ENCDNS_RESOLVER, "x"));
	assert_null(encdns_option_guess(ENCDNS_GATEWAY, "something-else-entirely"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option_is_whole),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
