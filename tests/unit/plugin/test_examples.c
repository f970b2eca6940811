/*
 * Every example of configuration in the manuals, and the sample, is loaded by the parser that people will
 * meet. Those of README.md and doc/ are loaded end to end.
 */
#include "support.h"
#include "encdns_config.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the examples are, between what, and how many at least. */
static const struct {
	const char *file, *begin, *end;
	u_int least;
} sources[] = {
	{ "man/encdns.conf.5.in", ".EX\n", ".EE\n", 3 },
};

/**
 * Take the roff out of an example.
 */
static void unescape(char *text)
{
	char *from, *to = text;

	for (from = text; *from; from++)
	{
		if (*from != '\\')
		{
			*to++ = *from;
		}
	}
	*to = '\0';
}

/**
 * Put a certificate where the example's own would be, whatever they are called.
 */
static void provide_certificates(const char *text)
{
	enumerator_t *names;
	const char *place = text;
	char *name, *pem, path[128], list[256];
	chunk_t *map;

	map = chunk_map("dns.pem", FALSE);
	assert_non_null(map);
	pem = strndup((char*)map->ptr, map->len);
	chunk_unmap(map);
	while ((place = strstr(place, "certificates = ")))
	{
		place += strlen("certificates = ");
		snprintf(list, sizeof(list), "%.*s", (int)strcspn(place, "\n"), place);
		names = enumerator_create_token(list, ",", " ");
		while (names->enumerate(names, &name))
		{
			snprintf(path, sizeof(path), "x509/%s", name);
			write_file(path, pem);
			snprintf(path, sizeof(path), "x509ca/%s", name);
			write_file(path, pem);
		}
		names->destroy(names);
	}
	free(pem);
}

static void assert_loads(const char *file, const char *text)
{
	encdns_report_t *report = encdns_report_create();
	encdns_config_t *config;
	char *messages;

	config = encdns_config_load(write_file("swanctl.conf", text), report);
	messages = messages_of(report);
	if (*messages || !config)
	{
		fail_msg("an example of %s is refused: %s\n%s", file, messages, text);
	}
	config->destroy(config);
	free(messages);
	report->destroy(report);
}

static void test_examples(void **state)
{
	char path[128], *text, *place, *end, *example;
	u_int i, found;

	snprintf(path, sizeof(path), "%s/x509", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/x509ca", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	for (i = 0; i < countof(sources); i++)
	{
		found = 0;
		text = read_source(sources[i].file);
		place = text;
		while ((place = strstr(place, sources[i].begin)))
		{
			place += strlen(sources[i].begin);
			end = strstr(place, sources[i].end);
			assert_non_null(end);
			example = strndup(place, end - place);
			place = end + strlen(sources[i].end);
			unescape(example);
			/* how the plugin says what is wrong is no configuration */
			if (strstr(example, "encrypted-dns {"))
			{
				provide_certificates(example);
				assert_loads(sources[i].file, example);
				found++;
			}
			free(example);
		}
		free(text);
		assert_true(found >= sources[i].least);
	}
}

/**
 * The sample, with all that is commented out taken in, where it has a value.
 */
static void test_sample(void **state)
{
	enumerator_t *lines;
	chunk_t *map;
	char *line, *text, *whole = strdup(""), *longer;
	bool comment;

	map = chunk_map("../../../conf/encrypted-dns.conf", FALSE);
	assert_non_null(map);
	text = strndup((char*)map->ptr, map->len);
	chunk_unmap(map);
	assert_loads("conf/encrypted-dns.conf", text);
	lines = enumerator_create_token(text, "\n", " ");
	while (lines->enumerate(lines, &line))
	{
		assert_int_equal(line[0], '#');
		comment = line[strlen(line) - 1] != '{' && line[strlen(line) - 1] != '}' &&
				  !strstr(line, " = ");
		assert_true(asprintf(&longer, "%s%s\n", whole,
							 comment ? "" : line + 2) >= 0);
		free(whole);
		whole = longer;
	}
	lines->destroy(lines);
	free(text);
	/* what is required has no value in a sample */
	text = strreplace(whole, "priority = 1", "priority = 1\nadn = dns.corp.example\n"
					  "addresses = 10.20.0.53\nalpn = dot");
	assert_ptr_not_equal(text, whole);
	assert_loads("conf/encrypted-dns.conf, taken in", text);
	free(text);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
