#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client-helper/log.h"
#include "client-helper/util.h"

static const char *const levels[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

/* One line of each level that the daemon writes; what of it got to stderr. */
static void write_one_of_each(char *said, size_t size)
{
	int before = dup(STDERR_FILENO), fd = memfd_create("stderr", MFD_CLOEXEC);
	ssize_t length;

	assert_true(before >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	log_line(SD_ERR, "an error");
	log_line(SD_WARNING, "a %s", "warning");
	log_line(SD_NOTICE, "a notice");
	log_line(SD_INFO, "an information");
	log_line(SD_DEBUG, "debugging");
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	length = pread(fd, said, size - 1, 0);
	assert_true(length >= 0);
	said[length] = '\0';
	close(fd);
}

static void test_names(void **state)
{
	for (size_t i = 0; i < ELEMENTS(levels); i++) {
		assert_int_equal(log_set_level(levels[i]), 0);
		assert_string_equal(log_level(), levels[i]);
	}
}

static void test_what_is_no_level_changes_nothing(void **state)
{
	static const char *const wrong[] = {"", "DEBUG", "warn", "7", "debug "};

	assert_int_equal(log_set_level("notice"), 0);
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		assert_int_equal(log_set_level(wrong[i]), -EINVAL);
		assert_string_equal(log_level(), "notice");
	}
}

static void test_less_important_lines_are_left_out(void **state)
{
	static const struct {
		const char *level, *said;
	} table[] = {
		{"emerg", ""},
		{"err", "an error\n"},
		{"warning", "an error\na warning\n"},
		{"info", "an error\na warning\na notice\nan information\n"},
		{"debug", "an error\na warning\na notice\nan information\ndebugging\n"},
	};
	char said[256];

	unsetenv("JOURNAL_STREAM");
	for (size_t i = 0; i < ELEMENTS(table); i++) {
		assert_int_equal(log_set_level(table[i].level), 0);
		write_one_of_each(said, sizeof(said));
		assert_string_equal(said, table[i].said);
	}
}

static void test_the_journal_is_told_the_level(void **state)
{
	char said[256];

	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_int_equal(log_set_level("warning"), 0);
	write_one_of_each(said, sizeof(said));
	assert_string_equal(said, "<3>an error\n<4>a warning\n");
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_no_level_changes_nothing),
		cmocka_unit_test(test_less_important_lines_are_left_out),
		cmocka_unit_test(test_the_journal_is_told_the_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
