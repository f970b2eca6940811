#include "support.h"
#include "encdns_current.h"

#include <stdio.h>

static const char good[] = "encrypted-dns {\n laptop {\n }\n}\n";

/**
 * Does the configuration in force have a laptop's section?
 */
static bool asks(encdns_current_t *current)
{
	encdns_config_t *config = current->get(current);
	bool asks = config->get_laptop(config, "any", TRUE) != NULL;

	config->destroy(config);
	return asks;
}

/**
 * The only message of the last load.
 */
static void assert_one_error(encdns_current_t *current, const char *expected)
{
	linked_list_t *errors = current->get_errors(current);
	char *message;

	assert_int_equal(errors->get_count(errors), 1);
	assert_int_equal(errors->get_first(errors, (void**)&message), SUCCESS);
	assert_string_equal(message, expected);
	errors->destroy_function(errors, free);
}

static void assert_no_errors(encdns_current_t *current)
{
	linked_list_t *errors = current->get_errors(current);

	assert_int_equal(errors->get_count(errors), 0);
	errors->destroy_function(errors, free);
}

static void test_nothing_loaded(void **state)
{
	encdns_current_t *current = encdns_current_create("/nonexistent");

	assert_false(asks(current));
	assert_no_errors(current);
	current->destroy(current);
}

static void test_last_good_stays_after_mistake(void **state)
{
	encdns_current_t *current;

	current = encdns_current_create(write_file("swanctl.conf", good));
	assert_true(current->load(current));
	assert_true(asks(current));
	write_file("swanctl.conf", "encrypted-dns {\n laptop {\n  request = ipx\n }\n}\n");
	assert_false(current->load(current));
	assert_true(asks(current));
	assert_one_error(current, "encrypted-dns.laptop.request: \"ipx\" is not one of: "
					 "auto ipv4 ipv6 both");
	write_file("swanctl.conf", "");
	assert_true(current->load(current));
	assert_false(asks(current));
	assert_no_errors(current);
	current->destroy(current);
}

static void test_syntax_error_has_its_line(void **state)
{
	encdns_current_t *current;
	linked_list_t *errors;
	char *message, place[128];

	current = encdns_current_create(write_file("swanctl.conf", good));
	assert_true(current->load(current));
	write_file("swanctl.conf", "encrypted-dns {\n laptop {\n  }}\n}\n");
	assert_false(current->load(current));
	assert_true(asks(current));
	errors = current->get_errors(current);
	assert_int_equal(errors->get_count(errors), 1);
	assert_int_equal(errors->get_first(errors, (void**)&message), SUCCESS);
	snprintf(place, sizeof(place), "%s/swanctl.conf:4: syntax error", folder);
	assert_memory_equal(message, place, strlen(place));
	errors->destroy_function(errors, free);
	current->destroy(current);
}

static void test_syntax_error_in_included_file(void **state)
{
	encdns_current_t *current;
	linked_list_t *errors;
	char *message, place[128];

	write_file("broken.conf", "a {\n b = {?dns}\n}\n");
	current = encdns_current_create(write_file("swanctl.conf", "include broken.conf\n"));
	assert_false(current->load(current));
	errors = current->get_errors(current);
	assert_int_equal(errors->get_count(errors), 1);
	assert_int_equal(errors->get_first(errors, (void**)&message), SUCCESS);
	snprintf(place, sizeof(place), "%s/broken.conf:3: syntax error", folder);
	assert_memory_equal(message, place, strlen(place));
	errors->destroy_function(errors, free);
	current->destroy(current);
}

static void test_who_has_one_keeps_it(void **state)
{
	encdns_current_t *current;
	encdns_config_t *config;

	current = encdns_current_create(write_file("swanctl.conf", good));
	assert_true(current->load(current));
	config = current->get(current);
	write_file("swanctl.conf", "");
	assert_true(current->load(current));
	current->destroy(current);
	assert_non_null(config->get_laptop(config, "any", TRUE));
	config->destroy(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_loaded),
		cmocka_unit_test(test_last_good_stays_after_mistake),
		cmocka_unit_test(test_syntax_error_has_its_line),
		cmocka_unit_test(test_syntax_error_in_included_file),
		cmocka_unit_test(test_who_has_one_keeps_it),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
