#include "support.h"

#include <stdio.h>
#include <sys/stat.h>

char folder[64];

/**
 * LeakSanitizer asks for this: strongSwan's plugin openssl never frees what it has OpenSSL load (none of
 * our code calls libcrypto), and its parser of settings not the files that are open at a syntax error.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto.so\nleak:settings_parser__create_buffer";
}

int start_strongswan(void **state)
{
	dbg_default_set_level(0);
	/* without a strongswan.conf, this machine's least of all */
	if (!library_init("", "encdns-test"))
	{
		return -1;
	}
	snprintf(folder, sizeof(folder), "/tmp/encdns-test-XXXXXX");
	if (!libcharon_init() || !mkdtemp(folder))
	{
		return -1;
	}
	return lib->plugins->load(lib->plugins, "pem pkcs1 x509 openssl") ? 0 : -1;
}

int stop_strongswan(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command))
	{
		return -1;
	}
	libcharon_deinit();
	library_deinit();
	return 0;
}

const char *write_file(const char *name, const char *text)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

char *read_source(const char *name)
{
	chunk_t *map;
	char path[512], *text;

	snprintf(path, sizeof(path), "%s/%s", TOP_SRCDIR, name);
	map = chunk_map(path, FALSE);
	if (!map)
	{
		fail_msg("%s cannot be read", path);
	}
	text = strndup((char*)map->ptr, map->len);
	chunk_unmap(map);
	return text;
}

char *messages_of(encdns_report_t *report)
{
	enumerator_t *enumerator;
	char *message, *text = strdup(""), *longer;

	enumerator = report->create_enumerator(report);
	while (enumerator->enumerate(enumerator, &message))
	{
		assert_true(asprintf(&longer, "%s%s\n", text, message) >= 0);
		free(text);
		text = longer;
	}
	enumerator->destroy(enumerator);
	return text;
}

char *text_of(linked_list_t *attributes)
{
	enumerator_t *enumerator;
	encdns_attribute_t *attribute;
	char *text = strdup(""), *longer;
	chunk_t hex;

	enumerator = attributes->create_enumerator(attributes);
	while (enumerator->enumerate(enumerator, &attribute))
	{
		hex = chunk_to_hex(attribute->value, NULL, FALSE);
		assert_true(asprintf(&longer, "%s%s%u:%s", text, *text ? " " : "",
							 attribute->type, hex.ptr) >= 0);
		free(hex.ptr);
		free(text);
		text = longer;
	}
	enumerator->destroy(enumerator);
	return text;
}
