#include "support.h"
#include "encdns_option.h"

#include <stdio.h>

/* Where conf/encrypted-dns.opt has the options of each kind of section. */
static const char *const places[] = {
	[ENCDNS_GATEWAY] = "encrypted-dns.<gateway>",
	[ENCDNS_LAPTOP] = "encrypted-dns.<laptop>",
	[ENCDNS_RESOLVER] = "encrypted-dns.<gateway>.resolvers.<resolver>",
	[ENCDNS_SUGGESTION] = "encrypted-dns.<laptop>.suggestions.<suggestion>",
};

static void test_every_option_is_whole(void **state)
{
	const encdns_option_t *option;
	u_int i;

	for (i = 0; (option = encdns_option_at(i)); i++)
	{
		assert_non_null(option->value);
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

/**
 * What an option is documented as, "KEY = DEFAULT" without a blank at the end.
 */
static void print_heading(const encdns_option_t *option, char *buf, size_t len)
{
	snprintf(buf, len, "%s.%s =%s%s", places[option->role], option->name,
			 option->standard ? " " : "", option->standard ?: "");
}

/**
 * Does the text behind a heading, up to the next one, name all choices?
 */
static void assert_choices_explained(const char *text, const char *choices)
{
	enumerator_t *enumerator;
	char *choice, *end, own[4096];

	snprintf(own, sizeof(own), "%s", text);
	end = strstr(own, "\nencrypted-dns.");
	if (end)
	{
		*end = '\0';
	}
	enumerator = enumerator_create_token(choices, " ", " ");
	while (enumerator->enumerate(enumerator, &choice))
	{
		assert_non_null(strstr(own, choice));
	}
	enumerator->destroy(enumerator);
}

static void test_every_option_is_documented(void **state)
{
	const encdns_option_t *option;
	char heading[256], *place, *text;
	u_int i;

	text = read_source("conf/encrypted-dns.opt");
	for (i = 0; (option = encdns_option_at(i)); i++)
	{
		print_heading(option, heading + 1, sizeof(heading) - 1);
		heading[0] = '\n';
		strncat(heading, "\n\t", sizeof(heading) - strlen(heading) - 1);
		place = strstr(text, heading);
		if (!place)
		{
			fail_msg("conf/encrypted-dns.opt does not have%s", heading);
		}
		else if (option->choices)
		{
			assert_choices_explained(place + strlen(heading), option->choices);
		}
	}
	free(text);
}

static void test_every_documented_option_is_there(void **state)
{
	enumerator_t *lines;
	char *text, *line, *name;
	u_int role, found = 0;

	text = read_source("conf/encrypted-dns.opt");
	lines = enumerator_create_token(text, "\n", "");
	while (lines->enumerate(lines, &line))
	{
		if (!strpfx(line, "encrypted-dns.") || !strstr(line, " ="))
		{
			continue;
		}
		*strstr(line, " =") = '\0';
		name = strrchr(line, '.');
		*name++ = '\0';
		for (role = 0; role < countof(places); role++)
		{
			if (streq(places[role], line))
			{
				assert_non_null(encdns_option_find(role, name));
				found++;
			}
		}
	}
	lines->destroy(lines);
	free(text);
	assert_true(found > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option_is_whole),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_every_option_is_documented),
		cmocka_unit_test(test_every_documented_option_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
