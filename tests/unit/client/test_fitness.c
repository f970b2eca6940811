#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "client-helper/fitness.h"
#include "client-helper/util.h"

static void write_file(char path[64], const char *text)
{
	int fd;

	strcpy(path, "/tmp/encdns-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static struct fitness read_texts(const char *resolv_conf, const char *nsswitch, bool module)
{
	struct fitness fitness;
	char a[64], b[64];

	write_file(a, resolv_conf);
	write_file(b, nsswitch);
	assert_int_equal(fitness_read(a, b, module, &fitness), 0);
	unlink(a);
	unlink(b);
	return fitness;
}

static void check(const char *resolv_conf, const char *nsswitch, bool module, bool fit, bool warned)
{
	struct fitness fitness = read_texts(resolv_conf, nsswitch, module);

	assert_true((fitness.problem == NULL) == fit);
	assert_true((fitness.warning != NULL) == warned);
	fitness_clear(&fitness);
}

static void test_stub(void **state)
{
	check("# made by resolved\nnameserver 127.0.0.53\noptions edns0\n", "hosts: files dns\n", false,
		true, false);
	check("nameserver 127.0.0.54\n", "", false, true, false);
	check("nameserver 127.0.0.53\nnameserver 192.168.1.1\n", "hosts: files dns\n", false, false,
		false);
	check("nameserver 192.168.1.1\n", "hosts: files dns\n", true, false, false);
	check("", "", true, false, false);
}

static void test_nss(void **state)
{
	check("nameserver 192.168.1.1\n", "hosts: files resolve [!UNAVAIL=return] dns\n", true, true,
		true);
	check("nameserver 192.168.1.1\n", "hosts:\tfiles dns resolve\n", true, false, false);
	check("nameserver 192.168.1.1\n", "#hosts: resolve\nhosts: files dns # resolve\n", true, false,
		false);
	check("nameserver 192.168.1.1\n", "hosts: files resolve dns\n", false, false, false);
}

static void test_no_files(void **state)
{
	struct fitness fitness;

	assert_int_equal(fitness_read("/nonexistent/a", "/nonexistent/b", true, &fitness), 0);
	assert_non_null(fitness.problem);
	fitness_clear(&fitness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stub),
		cmocka_unit_test(test_nss),
		cmocka_unit_test(test_no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
