#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/resource.h>

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

/* I23: without the list no domain is an internal one. Runs first: once loaded, the list stays. */
static void test_no_list_of_suffixes(void **state)
{
	struct policy policy = {};
	struct rlimit limit, none;
	const char *why;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	why = policy_refuses_domain(&policy, "corp.example");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_string_equal(why, "there is no list of public suffixes to check it against");
	assert_null(policy_refuses_domain(&policy, "corp.example"));
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

static bool anchors(struct policy *policy, const char *domain, uint8_t algorithm)
{
	return policy_refuses_anchor(policy, domain, algorithm) == NULL;
}

/* I24 */
static void test_trust_anchors(void **state)
{
	struct policy policy = {};

	assert_false(anchors(&policy, "corp.example", 8));
	assert_int_equal(list_add(&policy.accept_trust_anchors, "corp.example"), 0);
	assert_true(anchors(&policy, "corp.example", 8));
	assert_true(anchors(&policy, "lab.corp.example", 8));
	assert_false(anchors(&policy, "example", 8));
	assert_false(anchors(&policy, "othercorp.example", 8));
	policy_clear(&policy);
}

/* I24: the root and top-level domains count with an override only. */
static void test_bare_trust_anchors(void **state)
{
	struct policy policy = {};

	assert_int_equal(list_add(&policy.accept_trust_anchors, "."), 0);
	assert_int_equal(list_add(&policy.accept_trust_anchors, "example."), 0);
	assert_int_equal(list_add(&policy.accept_trust_anchors, "internal overrule"), 0);
	assert_false(anchors(&policy, ".", 8));
	assert_false(anchors(&policy, "example", 8));
	assert_false(anchors(&policy, "corp.example", 8));
	assert_false(anchors(&policy, "corp.internal", 8));
	assert_string_equal(policy_refuses_anchor(&policy, "corp.example", 8),
		"accept-trust-anchors lists a top-level domain without override");

	assert_int_equal(list_add(&policy.accept_trust_anchors, "internal override"), 0);
	assert_true(anchors(&policy, "internal", 8));
	assert_true(anchors(&policy, "corp.internal", 8));
	assert_false(anchors(&policy, "corp.example", 8));
	assert_int_equal(list_add(&policy.accept_trust_anchors, ". override"), 0);
	assert_true(anchors(&policy, ".", 8));
	assert_true(anchors(&policy, "corp.example", 8));
	policy_clear(&policy);
}

/* An anchor that resolved cannot use would leave the zone unsigned in its eyes. */
static void test_algorithms_of_anchors(void **state)
{
	static const uint8_t fine[] = {5, 7, 8, 10, 13, 14, 15}, others[] = {0, 1, 3, 6, 12, 16, 253};
	struct policy policy = {};

	assert_int_equal(list_add(&policy.accept_trust_anchors, "corp.example"), 0);
	for (size_t i = 0; i < sizeof(fine); i++)
		assert_true(anchors(&policy, "corp.example", fine[i]));
	for (size_t i = 0; i < sizeof(others); i++)
		assert_false(anchors(&policy, "corp.example", others[i]));
	policy_clear(&policy);
}

/* I26: only the very domain that is named. */
static void test_insecure_domains(void **state)
{
	struct policy policy = {};

	assert_false(policy_calls_insecure(&policy, "corp.example"));
	assert_int_equal(list_add(&policy.insecure_domains, "corp.example"), 0);
	assert_true(policy_calls_insecure(&policy, "corp.example"));
	assert_true(policy_calls_insecure(&policy, "Corp.Example."));
	assert_false(policy_calls_insecure(&policy, "lab.corp.example"));
	assert_false(policy_calls_insecure(&policy, "example"));
	policy_clear(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_list_of_suffixes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_ordinary_domains),
		cmocka_unit_test(test_public_suffixes),
		cmocka_unit_test(test_special_use),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_trust_anchors),
		cmocka_unit_test(test_bare_trust_anchors),
		cmocka_unit_test(test_algorithms_of_anchors),
		cmocka_unit_test(test_insecure_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
