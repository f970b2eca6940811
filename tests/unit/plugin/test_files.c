#include "support.h"
#include "encdns_bounds.h"
#include "encdns_files.h"

#include <stdio.h>
#include <fcntl.h>
#include <sys/stat.h>

/**
 * Write a file with a modification time.
 */
static const char *write_at(const char *name, const char *text, time_t when)
{
	const char *path = write_file(name, text);
	struct timespec times[] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	return path;
}

static void test_alone(void **state)
{
	assert_int_equal(encdns_files_newest(write_at("a.conf", "# include b.conf\n", 1000)),
					 1000000000);
	assert_int_equal(encdns_files_newest("/nonexistent"), 0);
}

static void test_newest_of_those_included(void **state)
{
	char text[128];

	write_at("b.conf", "", 2000);
	write_at("c-1.conf", "section {\n  include \"b.conf\" # and more\n}\n", 500);
	write_at("c-2.conf", "", 700);
	assert_int_equal(encdns_files_newest(write_at("a.conf", "\tinclude c-*.conf\n", 1000)),
					 2000000000);
	snprintf(text, sizeof(text), "include %s/b.conf\n", folder);
	assert_int_equal(encdns_files_newest(write_at("a.conf", text, 1000)), 2000000000);
	assert_int_equal(encdns_files_newest(write_at("a.conf", "included = b.conf\n", 1000)),
					 1000000000);
}

/* The deepest that counts, and the one below it that does not. */
static void test_depth(void **state)
{
	char name[16], text[32];
	const char *path = NULL;
	int i;

	for (i = ENCDNS_INCLUDES_MAX; i >= 0; i--)
	{
		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), "include %d.conf\n", i + 1);
		path = write_at(name, text, 1000 + i);
	}
	assert_int_equal(encdns_files_newest(path), (999 + ENCDNS_INCLUDES_MAX) * 1000000);
}

static void test_including_itself_ends(void **state)
{
	assert_int_equal(encdns_files_newest(write_at("a.conf", "include a.conf\n", 1000)),
					 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_newest_of_those_included),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_including_itself_ends),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
