#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "client-helper/policy.h"
#include "client-helper/subdomain.h"
#include "client-helper/util.h"

static void test_labels(void **state)
{
	assert_true(subdomain_of("corp.example", "corp.example"));
	assert_true(subdomain_of("LAB.Corp.example", "corp.EXAMPLE"));
	assert_true(subdomain_of("lab.corp.example.", "corp.example"));
	assert_true(subdomain_of("corp.example", "corp.example."));
	assert_true(subdomain_of("corp.example", "."));
	assert_true(subdomain_of(".", ""));
	assert_false(subdomain_of("othercorp.example", "corp.example"));
	assert_false(subdomain_of("example", "corp.example"));
	assert_false(subdomain_of(".", "example"));
	assert_true(subdomain_equal("A.example.", "a.EXAMPLE"));
	assert_false(subdomain_equal("a.example", "b.a.example"));
}

static void test_ordinary_domains(void **state)
{
	struct policy policy = {};

	assert_null(policy_refuses_domain(&policy, "corp.example"));
	assert_null(policy_refuses_domain(&policy, "example.co.uk"));
	assert_null(policy_refuses_domain(&policy, "20.10.in-addr.arpa"));
}

/* I23 */
static void test_public_suffixes(void **state)
{
	struct policy policy = {};

	assert_non_null(policy_refuses_domain(&policy, "."));
	assert_non_null(policy_refuses_domain(&policy, "com"));
	assert_non_null(policy_refuses_domain(&policy, "co.uk"));
	assert_non_null(policy_refuses_domain(&policy, "corp"));
	assert_int_equal(list_add(&policy.accept_domains, "co.uk"), 0);
	policy.limits_domains = true;
	assert_null(policy_refuses_domain(&policy, "co.uk"));
	assert_null(policy_refuses_domain(&policy, "example.co.uk"));
	assert_non_null(policy_refuses_domain(&policy, "uk"));
	assert_non_null(policy_refuses_domain(&policy, "org.uk"));
	policy_clear(&policy);
}

/* I33 */
static void test_special_use(void **state)
{
	static const char *const names[] = {
		"localhost",
		"x.localhost",
		"invalid",
		"a.invalid",
		"local",
		"printer.local",
		"onion",
		"abc.onion",
		"127.in-addr.arpa",
		"1.0.0.127.in-addr.arpa",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	};
	struct policy policy = {};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		assert_non_null(policy_refuses_domain(&policy, names[i]));
	assert_int_equal(list_add(&policy.accept_domains, "corp.local"), 0);
	policy.limits_domains = true;
	assert_null(policy_refuses_domain(&policy, "corp.local"));
	/* Named exactly, not by a parent. */
	assert_non_null(policy_refuses_domain(&policy, "lab.corp.local"));
	assert_non_null(policy_refuses_domain(&policy, "local"));
	policy_clear(&policy);
}

/* I22 */
static void test_limits(void **state)
{
	struct policy policy = {.limits_domains = true};

	assert_non_null(policy_refuses_domain(&policy, "corp.example"));
	assert_int_equal(list_add(&policy.accept_domains, "corp.example"), 0);
	assert_null(policy_refuses_domain(&policy, "corp.example"));
	assert_null(policy_refuses_domain(&policy, "lab.corp.example"));
	assert_non_null(policy_refuses_domain(&policy, "other.example"));
	assert_non_null(policy_refuses_domain(&policy, "notcorp.example"));
	policy_clear(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_ordinary_domains),
		cmocka_unit_test(test_public_suffixes),
		cmocka_unit_test(test_special_use),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
