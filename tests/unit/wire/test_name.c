#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "wire/name.h"

#define LABEL63 "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int check(struct span text, enum name_kind kind, const char **ret_why)
{
	struct span copy = copy_exactly(text);
	int r = name_check(copy, kind, ret_why);

	copy_free(copy);
	return r;
}

static void assert_both(struct span name)
{
	assert_int_equal(check(name, NAME_HOST, NULL), 0);
	assert_int_equal(check(name, NAME_DOMAIN, NULL), 0);
}

static void test_names_of_both_kinds(void **state)
{
	assert_both(TEXT("doh.example.com"));
	assert_both(TEXT("DoH.Example.COM"));
	assert_both(TEXT("a"));
	assert_both(TEXT("localhost."));
	assert_both(TEXT("1.2.3.four"));
	assert_both(TEXT("xn--bcher-kva.example"));
	assert_both(TEXT("a--b.c-d"));
	assert_both(TEXT(LABEL63 ".test"));
}

static void test_longest_name(void **state)
{
	/* 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253 */
	static const char longest[] = LABEL63
		"." LABEL63 "." LABEL63 ".abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXY";

	assert_int_equal(strlen(longest), 253);
	assert_both(span_from_string(longest));
	assert_both(TEXT(LABEL63 "." LABEL63 "." LABEL63
							 ".abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXY."));
	assert_refused(
		check(TEXT(LABEL63 "." LABEL63 "." LABEL63
						   ".abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
			NAME_HOST, &why),
		"the ADN is longer than 253 octets");
	assert_refused(check(TEXT(LABEL63 "x.test"), NAME_DOMAIN, &why),
		"the domain has a label of more than 63 octets");
}

static void test_refusals_have_their_reason(void **state)
{
	static const struct {
		struct span name;
		const char *why; /* without its subject */
	} cases[] = {
		{{0}, "is empty"},
		{TEXT("a..b"), "has an empty label"},
		{TEXT(".a"), "has an empty label"},
		{TEXT("a.."), "has an empty label"},
		{TEXT(".."), "has an empty label"},
		{TEXT("-a.test"), "has a label that begins or ends with a hyphen"},
		{TEXT("a-.test"), "has a label that begins or ends with a hyphen"},
		{TEXT("a.-"), "has a label that begins or ends with a hyphen"},
		{TEXT("a.test\0"), "holds a control character"},
		{TEXT("a\0.test"), "holds a control character"},
		{TEXT("a.test\r"), "holds a control character"},
		{TEXT("a.test\n"), "holds a control character"},
		{TEXT("a\x7f.test"), "holds a control character"},
		{TEXT("b\xc3\xbc"
			  "cher.test"),
			"is not in A-labels"},
		{TEXT("a b.test"), "holds a character that names don't have"},
		{TEXT("*.test"), "holds a character that names don't have"},
		{TEXT("a\\046b.test"), "holds a character that names don't have"},
		{TEXT("a/b.test"), "holds a character that names don't have"},
		{TEXT("a:b.test"), "holds a character that names don't have"},
		{TEXT("a@b.test"), "holds a character that names don't have"},
		{TEXT("a[b.test"), "holds a character that names don't have"},
		{TEXT("a`b.test"), "holds a character that names don't have"},
		{TEXT("a{b.test"), "holds a character that names don't have"},
		{TEXT("fe80::1%eth0"), "holds a character that names don't have"},
	};
	char sentence[100];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(sentence, sizeof(sentence), "the ADN %s", cases[i].why);
		assert_refused(check(cases[i].name, NAME_HOST, &why), sentence);
		snprintf(sentence, sizeof(sentence), "the domain %s", cases[i].why);
		assert_refused(check(cases[i].name, NAME_DOMAIN, &why), sentence);
	}
}

static void test_what_only_domains_may(void **state)
{
	assert_refused(check(TEXT("_dns.test"), NAME_HOST, &why), "the ADN holds an underscore");
	assert_int_equal(check(TEXT("_msdcs.ad_1.corp.example"), NAME_DOMAIN, NULL), 0);
	assert_refused(check(TEXT("."), NAME_HOST, &why), "the ADN is the root");
	assert_int_equal(check(TEXT("."), NAME_DOMAIN, NULL), 0);
	assert_refused(check(TEXT("10.20.0.53"), NAME_HOST, &why), "the ADN ends in a number");
	assert_refused(check(TEXT("10.20.0.53."), NAME_HOST, &why), "the ADN ends in a number");
	assert_int_equal(check(TEXT("20.10"), NAME_DOMAIN, NULL), 0);
}

/* Each octet at each place of a label: what is accepted is just the set of the header. */
static void test_every_octet(void **state)
{
	char name[] = "abc.test";
	struct span span = span_of(name, strlen(name));
	bool letter, inside;
	size_t at;
	int c;

	for (at = 0; at < 3; at++) {
		for (c = 0; c < 256; c++) {
			memcpy(name, "abc", 3);
			name[at] = (char)c;
			letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
			inside = (c == '-' || c == '.') && at == 1;
			assert_int_equal(check(span, NAME_HOST, NULL) == 0, letter || inside);
			assert_int_equal(check(span, NAME_DOMAIN, NULL) == 0, letter || inside || c == '_');
		}
	}
}

static void test_every_truncation(void **state)
{
	struct span name = TEXT("doh.example.com");
	size_t len;

	for (len = 0; len <= name.len; len++)
		assert_int_equal(check(span_of(name.data, len), NAME_HOST, NULL), len ? 0 : -EBADMSG);
}

static void test_normalise(void **state)
{
	char name[NAME_SIZE];

	assert_int_equal(name_normalise(TEXT("DoH.Example.COM."), NAME_HOST, name, NULL), 0);
	assert_string_equal(name, "doh.example.com");
	assert_int_equal(name_normalise(TEXT("_X.[Z"), NAME_DOMAIN, name, NULL), -EBADMSG);
	assert_string_equal(name, "doh.example.com");
	assert_int_equal(name_normalise(TEXT("."), NAME_DOMAIN, name, NULL), 0);
	assert_string_equal(name, ".");
	assert_refused(name_normalise(TEXT("a b"), NAME_DOMAIN, name, &why),
		"the domain holds a character that names don't have");
}

static void test_without_dot(void **state)
{
	assert_span_equal(name_without_dot(TEXT("a.test.")), TEXT("a.test"));
	assert_span_equal(name_without_dot(TEXT("a.test")), TEXT("a.test"));
	assert_span_equal(name_without_dot(TEXT(".")), TEXT("."));
	assert_int_equal(name_without_dot((struct span){0}).len, 0);
}

static void test_equal(void **state)
{
	assert_true(name_equal(TEXT("Dns.Corp.Example"), TEXT("dns.corp.exampLE.")));
	assert_false(name_equal(TEXT("dns.corp.example"), TEXT("dns.corp.exampl")));
	assert_false(name_equal(TEXT("dns.corp.example"), TEXT("dns-corp.example")));
	assert_true(name_equal(TEXT("."), TEXT(".")));
	assert_false(name_equal(TEXT("a"), TEXT(".")));
	/* Case means letters only. */
	assert_false(name_equal(TEXT("a_"), TEXT("a\x7f")));
	assert_false(name_equal(TEXT("@"), TEXT("`")));
	assert_false(name_equal(TEXT("["), TEXT("{")));
}

/* RFC 8598, section 5. */
static void test_at_or_below(void **state)
{
	struct span domain = TEXT("example.test");

	assert_true(name_is_at_or_below(TEXT("example.test"), domain));
	assert_true(name_is_at_or_below(TEXT("www.example.test"), domain));
	assert_true(name_is_at_or_below(TEXT("mail.eng.EXAMPLE.test."), domain));
	assert_true(name_is_at_or_below(TEXT("www.example.test"), TEXT("Example.Test.")));
	assert_false(name_is_at_or_below(TEXT("otherexample.test"), domain));
	assert_false(name_is_at_or_below(TEXT("ple.test"), domain));
	assert_false(name_is_at_or_below(TEXT("test"), domain));
	assert_false(name_is_at_or_below(TEXT("example.test.org"), domain));
	assert_false(name_is_at_or_below(TEXT("www-example.test"), domain));
	assert_false(name_is_at_or_below(TEXT("."), domain));
	assert_true(name_is_at_or_below(TEXT("example.test"), TEXT(".")));
	assert_true(name_is_at_or_below(TEXT("."), TEXT(".")));
}

static void test_random_names(void **state)
{
	char name[NAME_SIZE], normal[NAME_SIZE], again[NAME_SIZE];
	struct span span;
	int i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		span = span_of(name, random_name(name, i % 2));
		assert_int_equal(name_normalise(span, i % 2 ? NAME_DOMAIN : NAME_HOST, normal, NULL), 0);
		assert_true(name_equal(span, span_from_string(normal)));
		assert_true(name_is_at_or_below(span, span_from_string(normal)));
		assert_true(name_is_at_or_below(span, TEXT("test")));
		assert_int_equal(name_normalise(span_from_string(normal), NAME_DOMAIN, again, NULL), 0);
		assert_string_equal(normal, again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_both_kinds),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_refusals_have_their_reason),
		cmocka_unit_test(test_what_only_domains_may),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_without_dot),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_at_or_below),
		cmocka_unit_test(test_random_names),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
