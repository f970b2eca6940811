#include "support.h"

#include <errno.h>
#include <string.h>
#include "wire/dohpath.h"

static int check(struct span text, const char **ret_why)
{
	struct span copy = copy_exactly(text);
	int r = dohpath_check(copy, ret_why);

	copy_free(copy);
	return r;
}

static void test_accepted_and_expanded_for_post(void **state)
{
	static const struct {
		struct span template;
		const char *path;
	} cases[] = {
		{TEXT("/dns-query{?dns}"), "/dns-query"},
		{TEXT("/q{?dns}"), "/q"},
		{TEXT("/{?dns}"), "/"},
		{TEXT("/dns-query?dns={dns}"), "/dns-query?dns="},
		{TEXT("/a{?foo,dns}"), "/a"},
		{TEXT("/a{?dns,foo:9999}/b{/c*}"), "/a/b"},
		{TEXT("/a?x=1{&dns*}"), "/a?x=1"},
		{TEXT("/{+dns}{.a}{;b}"), "/"},
		{TEXT("/{?a.b_%20c,dns}"), "/"},
		{TEXT("/%C3%bc/-._~!$&'()*+,;=:@{?dns}"), "/%C3%bc/-._~!$&'()*+,;=:@"},
		{TEXT("/\xc3\xbc{?dns}"), "/%C3%BC"},
		{TEXT("/\xe2\x82\xac\xf0\x9f\x90\x99{?dns}"), "/%E2%82%AC%F0%9F%90%99"},
	};
	char path[DOHPATH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(check(cases[i].template, NULL), 0);
		assert_int_equal(dohpath_expand_for_post(cases[i].template, path), 0);
		assert_string_equal(path, cases[i].path);
	}
	strcpy(path, "as it was");
	assert_int_equal(dohpath_expand_for_post(TEXT("/dns"), path), -EBADMSG);
	assert_string_equal(path, "as it was");
}

#define SLASH "the SvcParam dohpath does not begin with one slash"
#define EXPRESSION "the SvcParam dohpath has a malformed expression"
#define CHARACTER "the SvcParam dohpath holds a character that paths don't have"
#define VARIABLE "the SvcParam dohpath has no variable dns"

static void test_refusals_have_their_reason(void **state)
{
	static const struct {
		struct span template;
		const char *why;
	} cases[] = {
		{{0}, "the SvcParam dohpath is empty"},
		{TEXT("dns-query{?dns}"), SLASH},
		{TEXT("https://doh.example/dns-query{?dns}"), SLASH},
		{TEXT("//doh.example/dns-query{?dns}"), SLASH},
		{TEXT("{/dns}"), SLASH},
		{TEXT("/dns-query"), VARIABLE},
		{TEXT("/dns"), VARIABLE},
		{TEXT("/{?DNS}"), VARIABLE},
		{TEXT("/{?dnsx,xdns,dns.x}"), VARIABLE},
		{TEXT("/{?dns:3}"), VARIABLE},
		{TEXT("/{?dns"), EXPRESSION},
		{TEXT("/{"), EXPRESSION},
		{TEXT("/{}"), EXPRESSION},
		{TEXT("/{?}"), EXPRESSION},
		{TEXT("/{?dns,}"), EXPRESSION},
		{TEXT("/{?,dns}"), EXPRESSION},
		{TEXT("/{?{dns}}"), EXPRESSION},
		{TEXT("/{#dns}"), EXPRESSION},
		{TEXT("/{|dns}"), EXPRESSION},
		{TEXT("/{=dns}"), EXPRESSION},
		{TEXT("/{?dns-x}"), EXPRESSION},
		{TEXT("/{?.dns}"), EXPRESSION},
		{TEXT("/{?dns.}"), EXPRESSION},
		{TEXT("/{?a..b,dns}"), EXPRESSION},
		{TEXT("/{?a:0,dns}"), EXPRESSION},
		{TEXT("/{?a:,dns}"), EXPRESSION},
		{TEXT("/{?a:10000,dns}"), EXPRESSION},
		{TEXT("/{?a*:1,dns}"), EXPRESSION},
		{TEXT("/{?a%2,dns}"), EXPRESSION},
		{TEXT("/{?dns}}"), CHARACTER},
		{TEXT("/a b{?dns}"), CHARACTER},
		{TEXT("/a\0{?dns}"), CHARACTER},
		{TEXT("/a\r\n{?dns}"), CHARACTER},
		{TEXT("/a#b{?dns}"), CHARACTER},
		{TEXT("/a\\b{?dns}"), CHARACTER},
		{TEXT("/a\"b{?dns}"), CHARACTER},
		{TEXT("/a<b{?dns}"), CHARACTER},
		{TEXT("/[a]{?dns}"), CHARACTER},
		{TEXT("/%4{?dns}"), CHARACTER},
		{TEXT("/%zz{?dns}"), CHARACTER},
		{TEXT("/{?dns}%2"), CHARACTER},
		{TEXT("/\x80{?dns}"), CHARACTER},             /* continues nothing */
		{TEXT("/\xc2\x85{?dns}"), CHARACTER},         /* NEL */
		{TEXT("/\xc0\xaf{?dns}"), CHARACTER},         /* too long a form of "/" */
		{TEXT("/\xe0\x82\xa0{?dns}"), CHARACTER},     /* too long a form of U+00A0 */
		{TEXT("/\xf0\x82\x82\xac{?dns}"), CHARACTER}, /* too long a form of U+20AC */
		{TEXT("/\xed\xa0\x80{?dns}"), CHARACTER},     /* a surrogate */
		{TEXT("/\xf4\x90\x80\x80{?dns}"), CHARACTER}, /* U+110000 */
		{TEXT("/\xff{?dns}"), CHARACTER},
		{TEXT("/{?dns}\xc3"), CHARACTER},
		{TEXT("/{?dns}\xe2\x82"), CHARACTER},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(check(cases[i].template, &why), cases[i].why);
}

static void test_longest_template(void **state)
{
	char template[DOHPATH_LENGTH_MAX + 1], path[DOHPATH_SIZE];
	size_t i;

	for (i = 0; i + 1 < DOHPATH_LENGTH_MAX; i += 2)
		memcpy(template + i, "\xc3\xbc", 2);
	memcpy(template, "/x", 2);
	memcpy(template + DOHPATH_LENGTH_MAX - 6, "{?dns}", 6);
	template[DOHPATH_LENGTH_MAX] = 'x';
	assert_int_equal(check(span_of(template, DOHPATH_LENGTH_MAX), NULL), 0);
	assert_int_equal(dohpath_expand_for_post(span_of(template, DOHPATH_LENGTH_MAX), path), 0);
	assert_int_equal(strlen(path), 2 + 3 * (DOHPATH_LENGTH_MAX - 8));
	assert_refused(check(span_of(template, sizeof(template)), &why),
		"the SvcParam dohpath is longer than 1024 octets");
}

/* Only the whole has the variable. */
static void test_every_truncation(void **state)
{
	struct span template = TEXT("/\xe2\x82\xac%20q{?a:12,b*,dns}");
	size_t len;

	for (len = 0; len < template.len; len++)
		assert_int_equal(check(span_of(template.data, len), NULL), -EBADMSG);
	assert_int_equal(check(template, NULL), 0);
}

/* Whatever is accepted expands to a ":path" in printable ASCII. */
static void test_random_octets(void **state)
{
	static const char likely[] = "//{}{}?&,:*%dns20.#\x80\xc3\xe2\xf0\x82";
	char template[24], path[DOHPATH_SIZE];
	size_t i, len;
	int round, accepted = 0;

	for (round = 0; round < 50 * RANDOM_ROUNDS; round++) {
		len = random_below(sizeof(template) - 7);
		for (i = 0; i < len; i++)
			template[i] = likely[random_below(sizeof(likely) - 1)];
		memcpy(template + len, "{?dns}", 6);
		template[0] = '/';
		if (check(span_of(template, len + 6), NULL) < 0)
			continue;
		accepted++;
		assert_int_equal(dohpath_expand_for_post(span_of(template, len + 6), path), 0);
		assert_true(path[0] == '/');
		for (i = 0; path[i]; i++)
			assert_true(path[i] > 0x20 && path[i] < 0x7f && !strchr("{}#", path[i]));
	}
	assert_true(accepted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted_and_expanded_for_post),
		cmocka_unit_test(test_refusals_have_their_reason),
		cmocka_unit_test(test_longest_template),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_random_octets),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
