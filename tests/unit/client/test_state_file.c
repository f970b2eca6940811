#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client-helper/state_file.h"
#include "client-helper/util.h"

static int setup(void **state)
{
	char folder[] = "/tmp/encdns-test-XXXXXX";

	if (!mkdtemp(folder))
		return -1;
	*state = strdup(folder);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	rmdir(*state);
	free(*state);
	return 0;
}

static void write_file(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = NULL;
	cleanup_fclose FILE *file = NULL;

	assert_int_equal(format(&path, "%s/%s", folder, name), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static void remove_file(const char *folder, const char *name)
{
	cleanup_free char *path = NULL;

	assert_int_equal(format(&path, "%s/%s", folder, name), 0);
	assert_int_equal(unlink(path), 0);
}

static size_t load_and_clear(const char *folder)
{
	struct saved_connection *list;
	size_t n;

	assert_int_equal(state_file_load(folder, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		saved_connection_clear(&list[i]);
	free(list);
	return n;
}

static void test_names_of_links(void **state)
{
	assert_true(state_file_is_link("encdns0"));
	assert_true(state_file_is_link("encdns41"));
	assert_false(state_file_is_link("encdns"));
	assert_false(state_file_is_link("eth0"));
	assert_false(state_file_is_link("encdns0p"));
	assert_false(state_file_is_link("encdns/../0"));
	assert_false(state_file_is_link("encdns1234567890"));
	assert_false(state_file_is_link(""));
}

static void test_round_trip(void **state)
{
	char *domains[] = {"corp.example", "lab.example", NULL};
	char *anchors[] = {"corp.example. IN DS 1 8 2 00", NULL};
	char *names[] = {"vpn.corp.example", NULL};
	struct saved_connection saved = {
		.connection = "corp/../ \"vpn\"",
		.link = "encdns3",
		.ifindex = 7,
		.port = 40053,
		.domains = domains,
		.anchors = anchors,
		.full = true,
		.family_outside = 10,
		.gateway = "C=CH, CN=gw",
		.gateway_hosts = {names, {.family = AF_INET, .bytes = {192, 0, 2, 7}}},
		.insecure = names,
		.organization = "Example Corp",
		.held = true,
	};
	struct saved_connection *list;
	size_t n;

	assert_int_equal(state_file_save(*state, &saved), 0);
	assert_int_equal(state_file_load(*state, &list, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].connection, saved.connection);
	assert_string_equal(list[0].link, "encdns3");
	assert_int_equal(list[0].ifindex, 7);
	assert_int_equal(list[0].port, 40053);
	assert_true(list_equal(list[0].domains, domains));
	assert_true(list_equal(list[0].anchors, anchors));
	assert_true(list[0].full);
	assert_int_equal(list[0].family_outside, 10);
	assert_string_equal(list[0].gateway, "C=CH, CN=gw");
	assert_true(list_equal(list[0].gateway_hosts.names, names));
	assert_memory_equal(list[0].gateway_hosts.address.bytes, "\xc0\0\2\7", 4);
	assert_true(list_equal(list[0].insecure, names));
	assert_string_equal(list[0].organization, "Example Corp");
	assert_null(list[0].why);
	assert_true(list[0].held && !list[0].block);
	saved_connection_clear(&list[0]);
	free(list);
	assert_int_equal(state_file_remove(*state, "encdns3"), 0);
	assert_int_equal(state_file_remove(*state, "encdns3"), 0);
	assert_int_equal(load_and_clear(*state), 0);
}

static void test_junk(void **state)
{
	static const char *const junk[] = {
		"",
		"{",
		"[]",
		"{\"connection\": \"a\", \"link\": \"encdns0\", \"ifindex\": 1, \"port\": 1}",
		"{\"connection\": \"a\", \"link\": \"eth0\", \"ifindex\": 1, \"port\": 1, \"domains\": "
		"[\"x.y\"]}",
		"{\"connection\": \"a\", \"link\": \"encdns0\", \"ifindex\": 0, \"port\": 1, \"domains\": "
		"[\"x.y\"]}",
		"{\"connection\": \"a\", \"link\": \"encdns0\", \"ifindex\": 1, \"port\": 65536, "
		"\"domains\": [\"x.y\"]}",
		"{\"connection\": 3, \"link\": \"encdns0\", \"ifindex\": 1, \"port\": 1, \"domains\": "
		"[\"x.y\"]}",
		"{\"connection\": \"a\", \"link\": \"encdns1\", \"ifindex\": 1, \"port\": 1, \"domains\": "
		"[\"x.y\"]}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	for (size_t i = 0; i < ELEMENTS(junk); i++) {
		write_file(*state, "encdns0.json", junk[i]);
		assert_int_equal(load_and_clear(*state), 0);
	}
	write_file(*state, "encdns0.json",
		"{\"connection\": \"a\", \"link\": \"encdns0\", \"ifindex\": 1, \"port\": 1, \"domains\": "
		"[\"x.y\"]}");
	write_file(*state, "other-links.json", "[]");
	write_file(*state, "encdns9.json.new", "{");
	assert_int_equal(load_and_clear(*state), 1);
	remove_file(*state, "encdns0.json");
	remove_file(*state, "other-links.json");
	remove_file(*state, "encdns9.json.new");
}

static void test_blocks_survive(void **state)
{
	char *domains[] = {"corp.example", "lab.corp.example", NULL};
	struct saved_connection list[] = {
		{.connection = "a/b \xc3\xbc", .domains = domains, .gateway = "vpn", .block = true},
		{.connection = "full",
			.domains = domains,
			.full = true,
			.why = "lost",
			.block = true,
			.held = true},
	};
	cleanup_free char *path = NULL;
	struct saved_connection *read;
	size_t n;

	assert_int_equal(format(&path, "%s/blocks.json", (char *)*state), 0);
	assert_int_equal(blocks_file_load(path, &read, &n), 0);
	assert_int_equal(n, 0);
	free(read);
	assert_int_equal(blocks_file_save(path, list, 2), 0);
	assert_int_equal(blocks_file_load(path, &read, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(read[0].connection, list[0].connection);
	assert_string_equal(read[0].domains[1], "lab.corp.example");
	assert_string_equal(read[1].why, "lost");
	assert_true(read[0].block && read[1].full && !read[0].full);
	assert_null(read[0].link);
	assert_false(read[1].held);
	for (size_t i = 0; i < n; i++)
		saved_connection_clear(&read[i]);
	free(read);
	/* The folder of states is read by other rules: it is none of those. */
	assert_int_equal(load_and_clear(*state), 0);
	assert_int_equal(blocks_file_save(path, NULL, 0), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_blocks_that_cannot_be_used(void **state)
{
	static const char *const texts[] = {
		"", "{}", "[{}]", "[{\"connection\": \"a\"}]", "[1, null, []]"};
	cleanup_free char *path = NULL;

	assert_int_equal(format(&path, "%s/blocks.json", (char *)*state), 0);
	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		struct saved_connection *read = NULL;
		size_t n = 0;

		write_file(*state, "blocks.json", texts[i]);
		assert_int_equal(blocks_file_load(path, &read, &n), i == 0 ? -EBADMSG : 0);
		assert_int_equal(n, 0);
		free(read);
	}
	remove_file(*state, "blocks.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_links),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_junk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_that_cannot_be_used, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
