/*
 * encdns-config: reads the section `encrypted-dns` as the plugin does, and prints it with all that is
 * wrong with it as JSON, for encdnsctl: {"errors": [...], "sections": {NAME: {KEY: VALUE, ...}, ...}}.
 *
 * It needs no daemon, so that a file can be checked before one loads it.
 */
#include "encdns_config.h"

#include <stdio.h>

#define SECTION "encrypted-dns"

/**
 * Plugins that certificates are read with.
 */
#define PLUGINS "pem pkcs1 x509 sha1 sha2 pubkey gmp openssl curve25519"

/**
 * A string with quotes; what is not ASCII is UTF-8 already, or the file's own fault.
 */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++)
	{
		if (*text == '"' || *text == '\\')
		{
			printf("\\%c", *text);
		}
		else if ((u_char)*text < ' ')
		{
			printf("\\u%04x", *text);
		}
		else
		{
			putchar(*text);
		}
	}
	putchar('"');
}

static void print_member(bool *first, const char *name)
{
	if (!*first)
	{
		putchar(',');
	}
	*first = FALSE;
	print_string(name);
	putchar(':');
}

/**
 * Print the keys of a section, two more levels of sections among them: resolvers, and each of these.
 */
static void print_section(settings_t *settings, const char *a, const char *b,
						  const char *c)
{
	enumerator_t *enumerator;
	char *format = c ? SECTION ".%s.%s.%s" : b ? SECTION ".%s.%s" :
						 a ? SECTION ".%s" : SECTION;
	char *name, *value;
	bool first = TRUE;

	putchar('{');
	enumerator = settings->create_key_value_enumerator(settings, format, a, b, c);
	while (enumerator->enumerate(enumerator, &name, &value))
	{
		print_member(&first, name);
		print_string(value ?: "");
	}
	enumerator->destroy(enumerator);
	enumerator = settings->create_section_enumerator(settings, format, a, b, c);
	while (!c && enumerator->enumerate(enumerator, &name))
	{
		print_member(&first, name);
		print_section(settings, a ?: name, a ? b ?: name : NULL, b ? name : NULL);
	}
	enumerator->destroy(enumerator);
	putchar('}');
}

static void print_errors(encdns_report_t *report)
{
	enumerator_t *enumerator;
	char *message;
	bool first = TRUE;

	putchar('[');
	enumerator = report->create_enumerator(report);
	while (enumerator->enumerate(enumerator, &message))
	{
		if (!first)
		{
			putchar(',');
		}
		first = FALSE;
		print_string(message);
	}
	enumerator->destroy(enumerator);
	putchar(']');
}

static void run(char *file)
{
	encdns_report_t *report = encdns_report_create();
	encdns_config_t *config = encdns_config_load(file, report);
	settings_t *settings = settings_create_string("");

	settings->load_files(settings, file, FALSE);
	printf("{\"errors\":");
	print_errors(report);
	printf(",\"sections\":");
	print_section(settings, NULL, NULL, NULL);
	printf("}\n");
	settings->destroy_clear(settings);
	DESTROY_IF(config);
	report->destroy(report);
}

int main(int argc, char *argv[])
{
	if (argc > 2)
	{
		fprintf(stderr, "encdns-config [FILE]\n");
		return 2;
	}
	dbg_default_set_level(0);
	if (!library_init("", "encdns-config") ||
		!lib->plugins->load(lib->plugins, PLUGINS))
	{
		library_deinit();
		fprintf(stderr, "encdns-config: strongSwan's library does not start\n");
		return 1;
	}
	run(argc == 2 ? argv[1] : SWANCTL_CONF);
	library_deinit();
	return 0;
}
