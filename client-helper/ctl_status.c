/*
 * encdnsctl status: what is in force and why, for people, or as encdnsd's JSON (see status.h).
 */
#include "ctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "json_file.h"
#include "screen.h"
#include "util.h"

#define COLUMN 14 /* where the values begin */

static void __attribute__((format(printf, 3, 4)))
line(const struct screen *style, const char *label, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	printf("%*s%s ", COLUMN, label, *label ? ":" : " ");
	screen_text(style, COLUMN + 2, text ? text : "");
}

/* An array's strings with blanks between. */
static char *joined(json_object *object, const char *name)
{
	json_object *array = json_get_array(object, name);
	char *text = strdup("");

	for (size_t i = 0; array && text && i < json_object_array_length(array); i++) {
		const char *item = json_object_get_string(json_object_array_get_idx(array, i));
		char *longer = NULL;

		set_text(&longer, "%s%s%s", text, *text ? " " : "", item);
		free(text);
		text = longer;
	}
	return text;
}

static void line_of_list(
	const struct screen *style, const char *label, json_object *object, const char *name)
{
	cleanup_free char *text = joined(object, name);

	if (text && *text)
		line(style, label, "%s", text);
}

static double milliseconds(json_object *server, const char *name)
{
	return (double)json_get_number(server, name) / 1000;
}

/* What it has done so far; nothing of one that was never asked. */
static void print_figures(json_object *server, const struct screen *style)
{
	const char *version = json_get_text(server, "tls-version");

	char handshake[48] = "";

	if (json_get_number(server, "queries") == 0)
		return;
	if (json_get_number(server, "handshake-usec") > 0)
		snprintf(handshake, sizeof(handshake), ", handshake %.1f ms",
			milliseconds(server, "handshake-usec"));
	line(style, "",
		"  %s%s%" PRId64 " queries, %" PRId64
		" failures, round trip %.1f ms (99 %% within %.1f ms)%s",
		version ? version : "", version ? ", " : "", json_get_number(server, "queries"),
		json_get_number(server, "failures"), milliseconds(server, "rtt-median-usec"),
		milliseconds(server, "rtt-p99-usec"), handshake);
}

static void print_server(json_object *server, const char *label, const struct screen *style)
{
	cleanup_free char *addresses = joined(server, "addresses");
	const char *adn = json_get_text(server, "adn"), *state = json_get_text(server, "state");
	const char *unusable = json_get_text(server, "unusable");
	const char *error = json_get_text(server, "last-error");
	const char *by = json_get_text(server, "authenticated-by");
	bool bad = unusable || strcmp(state, "failed") == 0 || strcmp(state, "refused") == 0;

	line(style, label, "%s%s%s port %d, %s, %s%s%s%s%s%s", adn ? adn : "", adn ? " " : "",
		addresses, (int)json_get_number(server, "port"), json_get_text(server, "transport"),
		bad ? style->bad : "", state, bad ? style->off : "",
		json_get_flag(server, "in-use") ? ", in use" : "", by ? ", authenticated by " : "",
		by ? by : "");
	if (unusable || error)
		line(style, "", "  %s", unusable ? unusable : error);
	print_figures(server, style);
}

static void print_anchors(json_object *connection, const struct screen *style)
{
	json_object *anchors = json_get_array(connection, "trust-anchors");

	for (size_t i = 0; anchors && i < json_object_array_length(anchors); i++) {
		json_object *anchor = json_object_array_get_idx(anchors, i);
		bool in_force = json_get_flag(anchor, "in-force");

		line(style, i == 0 ? "trust anchors" : "", "%s %d %d %d, %s%s%s", json_get_text(anchor, "domain"),
			(int)json_get_number(anchor, "key-tag"), (int)json_get_number(anchor, "algorithm"),
			(int)json_get_number(anchor, "digest-type"), in_force ? style->good : style->bad,
			in_force ? "in force" : "not in force", style->off);
	}
	line_of_list(style, "insecure", connection, "insecure-domains");
}

static void print_connection(json_object *connection, const struct screen *style)
{
	json_object *servers = json_get_array(connection, "servers");
	json_object *refused = json_get_array(connection, "refused");
	int64_t left_out = json_get_number(connection, "refused-left-out");
	const char *reason = json_get_text(connection, "reason");
	const char *outside = json_get_text(connection, "family-outside");
	const char *gateway = json_get_text(connection, "gateway");
	bool in_force = json_get_flag(connection, "in-force");

	printf("%s%s%s\n", style->bold, json_get_text(connection, "name"), style->off);
	line(style, "state", "%s%s%s%s%s", in_force ? style->good : style->bad,
		json_get_text(connection, "state"), style->off, reason ? ": " : "", reason ? reason : "");
	if (strcmp(json_get_text(connection, "state"), "blocked") == 0)
		line(style, "", "lifted by: encdnsctl release %s", json_get_text(connection, "name"));
	line(style, "tunnel", "%s%s%s%s", json_get_text(connection, "mode"), outside ? ", " : "",
		outside ? outside : "", outside ? " stays outside" : "");
	if (gateway)
		line(style, "gateway", "%s", gateway);
	if (json_get_text(connection, "link"))
		line(style, "link", "%s", json_get_text(connection, "link"));
	line_of_list(style, "virtual IPs", connection, "virtual-ips");
	line_of_list(style, "domains", connection, "domains");
	for (size_t i = 0; servers && i < json_object_array_length(servers); i++)
		print_server(json_object_array_get_idx(servers, i), i == 0 ? "resolvers" : "", style);
	print_anchors(connection, style);
	for (size_t i = 0; refused && i < json_object_array_length(refused); i++) {
		json_object *refusal = json_object_array_get_idx(refused, i);

		line(style, i == 0 ? "refused" : "", "%s %s: %s", json_get_text(refusal, "attribute"),
			json_get_text(refusal, "value"), json_get_text(refusal, "why"));
	}
	if (left_out > 0)
		line(style, "", "and %" PRId64 " more", left_out);
}

static void print_surroundings(json_object *status, const struct screen *style)
{
	json_object *warnings = json_get_array(status, "warnings"), *resolved = NULL;
	json_object *links = json_get_array(status, "other-links");
	const char *trouble;

	json_object_object_get_ex(status, "resolved", &resolved);
	trouble = json_get_text(resolved, json_get_flag(resolved, "fit") ? "warning" : "problem");
	if (trouble)
		printf("%swarning%s: %s\n", style->bad, style->off, trouble);
	for (size_t i = 0; warnings && i < json_object_array_length(warnings); i++)
		printf("%swarning%s: %s\n", style->bad, style->off,
			json_object_get_string(json_object_array_get_idx(warnings, i)));
	for (size_t i = 0; links && i < json_object_array_length(links); i++) {
		json_object *other = json_object_array_get_idx(links, i);
		cleanup_free char *domains = joined(other, "domains"), *left = joined(other, "left");

		if (json_get_text(other, "failure"))
			printf("%swarning%s: %s has %s, which cannot be changed: %s\n", style->bad, style->off,
				json_get_text(other, "link"), domains, json_get_text(other, "failure"));
		else
			printf("%s had %s, and is left with %s for now\n", json_get_text(other, "link"),
				domains, left && *left ? left : "none");
	}
}

static json_object *find(json_object *connections, const char *name)
{
	for (size_t i = 0; connections && i < json_object_array_length(connections); i++) {
		json_object *connection = json_object_array_get_idx(connections, i);

		if (strcmp(json_get_text(connection, "name"), name) == 0)
			return connection;
	}
	return NULL;
}

static int print_one(json_object *connections, const char *name, bool json)
{
	json_object *connection = find(connections, name);
	struct screen style = screen_of(STDOUT_FILENO);

	if (!connection) {
		fprintf(stderr, "encdnsctl: %s is not connected\n", name);
		return CTL_NEGATIVE;
	}
	if (json)
		ctl_print_json(connection);
	else
		print_connection(connection, &style);
	return json_get_flag(connection, "in-force") ? CTL_FINE : CTL_NEGATIVE;
}

static bool all_in_force(json_object *connections)
{
	size_t n = connections ? json_object_array_length(connections) : 0;

	for (size_t i = 0; i < n; i++)
		if (!json_get_flag(json_object_array_get_idx(connections, i), "in-force"))
			return false;
	return n > 0;
}

static int print_all(json_object *status, json_object *connections, bool json)
{
	size_t n = connections ? json_object_array_length(connections) : 0;
	struct screen style = screen_of(STDOUT_FILENO);

	if (json) {
		ctl_print_json(status);
		return all_in_force(connections) ? CTL_FINE : CTL_NEGATIVE;
	}
	print_surroundings(status, &style);
	if (n == 0)
		puts("no connection");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			putchar('\n');
		print_connection(json_object_array_get_idx(connections, i), &style);
	}
	return all_in_force(connections) ? CTL_FINE : CTL_NEGATIVE;
}

int ctl_status(int argc, char *argv[])
{
	struct ctl_options options = {.max_names = 1};
	cleanup_json json_object *status = NULL;
	json_object *connections;

	if (ctl_parse("status", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (ctl_describe(&status) < 0)
		return CTL_NEGATIVE;
	connections = json_get_array(status, "connections");
	return options.n_names > 0 ? print_one(connections, options.names[0], options.json)
							   : print_all(status, connections, options.json);
}
