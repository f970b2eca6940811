/*
 * encdnsctl monitor: on a terminal a table that is always current, with query rates; in a pipe one
 * line for every state that changes, or with --json one object.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "json_file.h"
#include "manager_bus.h"
#include "screen.h"
#include "util.h"

#define TICK_USEC 1000000

struct monitor {
	struct screen screen;
	const char *only; /* one connection; NULL: all */
	bool json;
	bool changed;
	json_object *last; /* what was shown */
};

static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;

	monitor->changed = true;
	return 0;
}

static json_object *find(json_object *array, const char *key, const char *value)
{
	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json_object *object = json_object_array_get_idx(array, i);
		const char *text = json_get_text(object, key);

		if (text && value && strcmp(text, value) == 0)
			return object;
	}
	return NULL;
}

static bool is_shown(const struct monitor *monitor, json_object *connection)
{
	return !monitor->only || strcmp(json_get_text(connection, "name"), monitor->only) == 0;
}

/* ---- lines ---- */

static void print_change(
	const struct monitor *monitor, const char *connection, const char *server, const char *state)
{
	cleanup_json json_object *json = NULL;
	char date[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!monitor->json) {
		printf("%s %s%s%s %s\n", date, connection, server ? " " : "", server ? server : "", state);
	} else {
		json = json_object_new_object();
		json_add_text(json, "time", date);
		json_add_text(json, "connection", connection);
		json_add_text(json, "server", server);
		json_add_text(json, "state", state);
		puts(json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	fflush(stdout);
}

static bool differs(json_object *now, json_object *before)
{
	const char *state = json_get_text(now, "state"), *old = json_get_text(before, "state");

	return state && (!old || strcmp(state, old) != 0);
}

static void print_changes(struct monitor *monitor, json_object *status)
{
	json_object *now = json_get_array(status, "connections");
	json_object *before = json_get_array(monitor->last, "connections");

	for (size_t i = 0; now && i < json_object_array_length(now); i++) {
		json_object *connection = json_object_array_get_idx(now, i);
		const char *name = json_get_text(connection, "name");
		json_object *old = find(before, "name", name), *servers;

		if (!is_shown(monitor, connection))
			continue;
		if (differs(connection, old))
			print_change(monitor, name, NULL, json_get_text(connection, "state"));
		servers = json_get_array(connection, "servers");
		for (size_t j = 0; servers && j < json_object_array_length(servers); j++) {
			json_object *server = json_object_array_get_idx(servers, j);
			const char *adn = json_get_text(server, "adn");

			if (adn && differs(server, find(json_get_array(old, "servers"), "adn", adn)))
				print_change(monitor, name, adn, json_get_text(server, "state"));
		}
	}
	for (size_t i = 0; before && i < json_object_array_length(before); i++) {
		json_object *old = json_object_array_get_idx(before, i);

		if (is_shown(monitor, old) && !find(now, "name", json_get_text(old, "name")))
			print_change(monitor, json_get_text(old, "name"), NULL, "gone");
	}
}

/* ---- the table ---- */

static void print_servers(const struct monitor *monitor, json_object *connection, json_object *old)
{
	json_object *servers = json_get_array(connection, "servers");

	for (size_t i = 0; servers && i < json_object_array_length(servers); i++) {
		json_object *server = json_object_array_get_idx(servers, i);
		const char *adn = json_get_text(server, "adn");
		json_object *before = find(json_get_array(old, "servers"), "adn", adn);
		int64_t rate = json_get_number(server, "queries") - json_get_number(before, "queries");

		printf("  %-30.30s %-10s %7" PRId64 " %8" PRId64 " %8.1f %8.1f\n", adn ? adn : "plain DNS",
			json_get_text(server, "state"), before && rate > 0 ? rate : 0,
			json_get_number(server, "failures"),
			(double)json_get_number(server, "rtt-median-usec") / 1000,
			(double)json_get_number(server, "rtt-p99-usec") / 1000);
	}
}

static void print_table(struct monitor *monitor, json_object *status)
{
	json_object *now = json_get_array(status, "connections");
	json_object *before = json_get_array(monitor->last, "connections");
	const struct screen *screen = &monitor->screen;

	fputs("\033[H\033[J", stdout);
	printf("%s%-32s %-10s %7s %8s %8s %8s%s\n", screen->bold, "connection, resolvers", "state",
		"per s", "failed", "median", "99% ms", screen->off);
	for (size_t i = 0; now && i < json_object_array_length(now); i++) {
		json_object *connection = json_object_array_get_idx(now, i);
		const char *name = json_get_text(connection, "name");

		if (!is_shown(monitor, connection))
			continue;
		printf("%-32.32s %s%s%s\n", name,
			json_get_flag(connection, "in-force") ? screen->good : screen->bad,
			json_get_text(connection, "state"), screen->off);
		print_servers(monitor, connection, find(before, "name", name));
	}
	fflush(stdout);
}

static int show(struct monitor *monitor, sd_bus *bus)
{
	cleanup_free char *error = NULL;
	json_object *status;
	int r;

	r = ctl_describe_over(bus, &status, &error);
	if (r < 0) {
		fprintf(stderr, "encdnsctl: %s\n", error ? error : strerror(-r));
		return r;
	}
	if (monitor->screen.width > 0 && !monitor->json)
		print_table(monitor, status);
	else
		print_changes(monitor, status);
	json_object_put(monitor->last);
	monitor->last = status;
	monitor->changed = false;
	return ferror(stdout) ? -EPIPE : 0;
}

static int run(struct monitor *monitor, sd_bus *bus)
{
	/* Rates are per tick, so the table is shown once per tick, whatever changes between. */
	bool live = monitor->screen.width > 0 && !monitor->json;
	int r = 0;

	if (!live)
		r = sd_bus_match_signal(bus, NULL, MANAGER_BUS_NAME, MANAGER_BUS_PATH,
			MANAGER_BUS_INTERFACE, "Changed", on_changed, monitor);
	if (r >= 0)
		r = show(monitor, bus);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0 && !monitor->changed)
			r = sd_bus_wait(bus, live ? TICK_USEC : UINT64_MAX);
		if (r >= 0 && (live ? r == 0 : monitor->changed))
			r = show(monitor, bus);
	}
	return r;
}

int ctl_monitor(int argc, char *argv[])
{
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	struct ctl_options options = {.max_names = 1};
	struct monitor monitor = {.screen = screen_of(STDOUT_FILENO)};

	if (ctl_parse("monitor", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (ctl_open_bus(&bus) < 0)
		return CTL_NEGATIVE;
	monitor.only = options.n_names > 0 ? options.names[0] : NULL;
	monitor.json = options.json;
	run(&monitor, bus);
	json_object_put(monitor.last);
	return CTL_NEGATIVE;
}
