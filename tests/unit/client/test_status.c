#include "reply.h"

#include <errno.h>
#include <string.h>

#include "client-helper/json_file.h"
#include "client-helper/status.h"
#include "client-helper/util.h"

static void ignore(struct connection *connection, void *userdata)
{
}

/* Without a bus: a connection for which there is nothing to apply. */
static struct connection *connection_of(struct request *request)
{
	struct surroundings surroundings = {.changed = ignore};
	struct connection *connection;

	assert_int_equal(connection_new(&surroundings, "corp", &connection), 0);
	assert_int_equal(connection_apply(connection, request, &no_claims), 0);
	return connection;
}

static json_object *describe(const struct status_input *input)
{
	cleanup_free char *text = NULL;
	json_object *json;

	assert_int_equal(status_describe(input, true, &text), 0);
	json = json_tokener_parse(text);
	assert_non_null(json);
	return json;
}

static json_object *member(json_object *object, const char *name)
{
	json_object *value;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

static void assert_text(json_object *object, const char *name, const char *expected)
{
	assert_non_null(json_get_text(object, name));
	assert_string_equal(json_get_text(object, name), expected);
}

/* The member of this path, its text behind it, in man/status.opt. */
static const char *find_heading(const char *path, const char *kind)
{
	static char text[65536];
	char heading[160];

	if (!*text) {
		cleanup_fclose FILE *file = fopen(TOP_SRCDIR "/man/status.opt", "re");

		assert_non_null(file);
		text[0] = '\n';
		assert_true(fread(text + 1, 1, sizeof(text) - 2, file) > 1000);
	}
	snprintf(heading, sizeof(heading), "\n%s%s\n\t", path, kind);
	return strstr(text, heading);
}

/* Everything that is said is documented. */
static void assert_documented(json_object *json, const char *path)
{
	const char *dot = *path ? "." : "";

	if (json_object_is_type(json, json_type_object) && *path && !find_heading(path, " {}"))
		fail_msg("man/status.opt does not have the object %s", path);
	json_object_object_foreach(json, name, value)
	{
		json_object *first = NULL;
		char below[128];

		snprintf(below, sizeof(below), "%s%s%s", path, dot, name);
		if (json_object_is_type(value, json_type_array))
			first = json_object_array_get_idx(value, 0);
		if (json_object_is_type(first, json_type_object)) {
			strncat(below, "[]", sizeof(below) - strlen(below) - 1);
			assert_documented(first, below);
		} else if (json_object_is_type(value, json_type_object)) {
			assert_documented(value, below);
		} else if (!find_heading(below, "") && !find_heading(below, " {}")) {
			strncat(below, "[]", sizeof(below) - strlen(below) - 1);
			if (!find_heading(below, " {}"))
				fail_msg("man/status.opt does not have %s", below);
		}
	}
}

static void test_nobody(void **state)
{
	struct fitness fitness = {};
	struct status_input input = {.fitness = &fitness};
	json_object *json = describe(&input);

	assert_null(member(json, "plugin"));
	assert_int_equal(json_object_array_length(member(json, "connections")), 0);
	assert_int_equal(json_object_array_length(member(json, "other-links")), 0);
	assert_true(json_get_flag(member(json, "resolved"), "fit"));
	assert_documented(json, "");
	json_object_put(json);
}

static void test_unfit(void **state)
{
	struct fitness fitness = {.problem = strdup("nobody asks it")};
	struct status_input input = {.fitness = &fitness};
	json_object *json = describe(&input);

	assert_false(json_get_flag(member(json, "resolved"), "fit"));
	assert_text(member(json, "resolved"), "problem", "nobody asks it");
	json_object_put(json);
	fitness_clear(&fitness);
}

static void test_connection(void **state)
{
	const struct connection *connections[1];
	struct fitness fitness = {};
	struct status_input input = {
		.connections = connections,
		.n_connections = 1,
		.fitness = &fitness,
	};
	json_object *json, *connection, *server, *refusal;
	struct connection *made;
	struct request request;

	reply_begin(&request);
	reply_dot(&request, 5, "dns.corp.example", "10.20.0.53");
	reply_digest(&request, "", 2, 0xab, 32);
	reply_domain(&request, "a\x01\"b");
	made = connection_of(&request);
	assert_int_equal(connection_hold(made), -ENODATA);
	connections[0] = made;
	json = describe(&input);
	connection = json_object_array_get_idx(member(json, "connections"), 0);
	assert_text(connection, "name", "corp");
	assert_text(connection, "state", "nothing");
	assert_false(json_get_flag(connection, "in-force"));
	assert_non_null(json_get_text(connection, "reason"));
	assert_text(connection, "mode", "split");
	assert_text(connection, "link", "encdns0");
	assert_text(connection, "on-disconnect", "release");
	assert_text(connection, "gateway", "gw.corp.example");
	assert_null(member(connection, "listen"));
	assert_int_equal(json_object_array_length(member(connection, "domains")), 0);
	assert_string_equal(
		json_object_get_string(json_object_array_get_idx(member(connection, "virtual-ips"), 0)),
		"10.99.0.1");

	server = json_object_array_get_idx(member(connection, "servers"), 0);
	assert_text(server, "adn", "dns.corp.example");
	assert_text(server, "transport", "DoT");
	assert_int_equal(json_get_number(server, "port"), 853);
	assert_int_equal(json_get_number(server, "priority"), 5);
	assert_false(json_get_flag(server, "in-use"));
	assert_non_null(strstr(
		json_object_get_string(json_object_array_get_idx(member(server, "pins"), 0)), "sha256:"));

	/* What the peer sent is readable, and cannot leave its string. */
	refusal = json_object_array_get_idx(member(connection, "refused"), 0);
	assert_text(refusal, "attribute", "INTERNAL_DNS_DOMAIN");
	assert_text(refusal, "value", "a\\x01\"b");
	assert_non_null(json_get_text(refusal, "why"));
	assert_documented(json, "");
	json_object_put(json);
	connection_free(made);
}

static void test_announcement(void **state)
{
	struct fitness fitness = {};
	struct announcement announcement = {
		.version = strdup("0.1"),
		.daemon = strdup("charon-systemd 6.0.1"),
		.config_file = strdup("/proc/self/status"),
		.config_time_usec = 1,
	};
	struct status_input input = {.fitness = &fitness, .announcement = &announcement};
	json_object *json;

	assert_int_equal(list_add(&announcement.config_errors, "encrypted-dns.corp: wrong"), 0);
	json = describe(&input);
	assert_text(member(json, "plugin"), "daemon", "charon-systemd 6.0.1");
	assert_true(json_get_flag(member(json, "plugin"), "stale"));
	assert_int_equal(json_object_array_length(member(json, "warnings")), 2);
	assert_documented(json, "");
	json_object_put(json);

	announcement.config_time_usec = UINT64_MAX;
	json = describe(&input);
	assert_false(json_get_flag(member(json, "plugin"), "stale"));
	json_object_put(json);
	announcement_clear(&announcement);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_announcement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
