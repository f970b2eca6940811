/*
 * encdnsctl check: walks the chain from charon to an answer, and says of each link of it whether it
 * is fine, and what to do where it is not.
 */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "json_file.h"
#include "screen.h"
#include "util.h"

/* How long charon's plugin may take to find a new encdnsd on the bus. */
#define PLUGIN_WAITS 20
#define PLUGIN_PAUSE_USEC 100000

#define COLUMN 26 /* where sentences begin: verdict and the check's name are before */

struct link {
	const char *name;
	check_run_t run;
};

/* In the order in which one depends on the other. The names are what --json promises. */
static const struct link system_checks[] = {
	{"charon", check_charon},
	{"plugin", check_plugin},
	{"resolve-plugin", check_resolve_plugin},
	{"configuration", check_configuration},
	{"encdnsd", check_helper},
	{"loaded", check_loaded},
	{"resolved", check_resolved},
	{"resolver", check_system_resolver},
	{"firefox", check_firefox},
	{"chromium", check_chromium},
};

static const struct link connection_checks[] = {
	{"state", check_state},
	{"attributes", check_attributes},
	{"domains", check_domains},
	{"link", check_link},
	{"other-links", check_other_links},
	{"servers", check_servers},
	{"answers", check_answers},
};

static const struct link gateway_checks[] = {
	{"charon", check_charon},
	{"plugin", check_plugin},
	{"configuration", check_configuration},
	{"gateway", check_gateway},
};

struct report {
	struct screen screen;
	json_object *findings; /* NULL: told as they come */
	enum verdict worst;
	bool waiting; /* "checking ..." is on the terminal */
};

/* While something takes its time, on a terminal only. */
static void show_progress(struct report *report, const char *name)
{
	if (!report->screen.width || report->findings)
		return;
	printf("%schecking %s ...%s\r", report->screen.bold, name, report->screen.off);
	fflush(stdout);
	report->waiting = true;
}

static void hide_progress(struct report *report)
{
	if (report->waiting)
		fputs("\033[K", stdout);
	report->waiting = false;
}

static void print_finding(struct report *report, const struct check *check, enum verdict verdict,
	const char *advice, const char *what)
{
	const struct screen *screen = &report->screen;
	const char *const styles[] = {screen->good, screen->warning, screen->bad};

	hide_progress(report);
	printf("%s%-7s%s  %-15s  ", styles[verdict], verdict_name(verdict), screen->off, check->name);
	screen_text(screen, COLUMN, what);
	if (advice) {
		printf("%*s", COLUMN, "-> ");
		screen_text(screen, COLUMN, advice);
	}
}

static void on_found(
	struct check *check, enum verdict verdict, const char *advice, const char *what)
{
	struct report *report = check->userdata;
	json_object *finding;

	if (verdict > report->worst)
		report->worst = verdict;
	if (!report->findings) {
		print_finding(report, check, verdict, advice, what);
		return;
	}
	finding = json_object_new_object();
	json_add_text(finding, "check", check->name);
	json_add_text(finding, "connection", json_get_text(check->connection, "name"));
	json_add_text(finding, "verdict", verdict_name(verdict));
	json_add_text(finding, "what", what);
	json_add_text(finding, "advice", advice);
	json_object_array_add(report->findings, finding);
}

static void run_all(struct check *check, const struct link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check->name = links[i].name;
		show_progress(check->userdata, check->name);
		links[i].run(check);
		hide_progress(check->userdata);
	}
}

static void run_connection(struct check *check, json_object *connection)
{
	struct report *report = check->userdata;

	if (!report->findings)
		printf("\n%s%s%s\n", report->screen.bold, json_get_text(connection, "name"),
			report->screen.off);
	check->connection = connection;
	run_all(check, connection_checks, ELEMENTS(connection_checks));
	check->connection = NULL;
}

static void run_connections(struct check *check, const char *only)
{
	json_object *connections = json_get_array(check->status, "connections");
	size_t n = connections ? json_object_array_length(connections) : 0, matching = 0;

	for (size_t i = 0; i < n; i++) {
		json_object *connection = json_object_array_get_idx(connections, i);

		if (only && strcmp(json_get_text(connection, "name"), only) != 0)
			continue;
		run_connection(check, connection);
		matching++;
	}
	check->name = "connection";
	if (matching == 0 && check->status)
		check_broken(check,
			"swanctl --initiate it; where it is up, see that a section of swanctl.conf is for it, "
			"and that it requests a virtual IP (vips)",
			"%s%s", only ? only : "no connection",
			only ? " is not connected" : " is up that asks for DNS");
}

static int conclude(struct report *report)
{
	cleanup_json json_object *json = NULL;

	if (!report->findings)
		return report->worst == VERDICT_BROKEN ? CTL_NEGATIVE : CTL_FINE;
	json = json_object_new_object();
	json_add_text(json, "verdict", verdict_name(report->worst));
	json_add(json, "findings", report->findings);
	ctl_print_json(json);
	return report->worst == VERDICT_BROKEN ? CTL_NEGATIVE : CTL_FINE;
}

/* encdnsd, where it is started by this question, hears from the plugin a moment later. */
static void wait_for_plugin(sd_bus *bus, json_object **status, char **error)
{
	for (unsigned i = 0; i < PLUGIN_WAITS; i++) {
		json_object *plugin = NULL;

		json_object_object_get_ex(*status, "plugin", &plugin);
		if (json_get_text(plugin, "version"))
			return;
		usleep(PLUGIN_PAUSE_USEC);
		json_object_put(*status);
		*status = NULL;
		if (ctl_describe_over(bus, status, error) < 0)
			return;
	}
}

static void read_status(sd_bus *bus, json_object **ret, char **ret_error)
{
	bool runs = ctl_encdnsd_runs(bus);

	if (ctl_describe_over(bus, ret, ret_error) >= 0 && !runs)
		wait_for_plugin(bus, ret, ret_error);
}

int ctl_check(int argc, char *argv[])
{
	struct ctl_options options = {
		.max_names = 1, .knows_gateway = true, .knows_file = true, .file = SWANCTL_CONF};
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	cleanup_json json_object *status = NULL, *content = NULL;
	cleanup_free char *error = NULL;
	struct report report = {.screen = screen_of(STDOUT_FILENO)};
	struct check check = {.found = on_found, .userdata = &report};

	if (ctl_parse("check", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (options.json)
		report.findings = json_object_new_array();
	if (sd_bus_open_system(&bus) >= 0)
		read_status(bus, &status, &error);
	configuration_read(options.file, &content);
	check.file = options.file;
	check.file_content = content;
	check.bus = bus;
	check.status = status;
	check.status_error = error;
	if (options.gateway) {
		run_all(&check, gateway_checks, ELEMENTS(gateway_checks));
	} else {
		run_all(&check, system_checks, ELEMENTS(system_checks));
		run_connections(&check, options.n_names > 0 ? options.names[0] : NULL);
	}
	return conclude(&report);
}
