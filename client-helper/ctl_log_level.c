/*
 * encdnsctl log-level: how much encdnsd writes into the journal, until it is started anew.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "json_file.h"
#include "log_control.h"
#include "manager_bus.h"
#include "util.h"

static int set(sd_bus *bus, const char *level, sd_bus_error *error)
{
	return sd_bus_set_property(bus, MANAGER_BUS_NAME, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE,
		"LogLevel", error, "s", level);
}

static int print(sd_bus *bus, bool json, sd_bus_error *error)
{
	cleanup_json json_object *object = NULL;
	cleanup_free char *level = NULL;
	int r;

	r = sd_bus_get_property_string(
		bus, MANAGER_BUS_NAME, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE, "LogLevel", error, &level);
	if (r < 0)
		return r;
	if (json) {
		object = json_object_new_object();
		json_add_text(object, "log-level", level);
		ctl_print_json(object);
	} else {
		puts(level);
	}
	return 0;
}

int ctl_log_level(int argc, char *argv[])
{
	cleanup(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	struct ctl_options options = {.max_names = 1};
	int r;

	if (ctl_parse("log-level", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (ctl_open_bus(&bus) < 0)
		return CTL_NEGATIVE;
	r = options.n_names > 0 ? set(bus, options.names[0], &error) : print(bus, options.json, &error);
	if (r >= 0)
		return CTL_FINE;
	fprintf(stderr, "encdnsctl: %s\n", error.message ? error.message : strerror(-r));
	return sd_bus_error_has_name(&error, SD_BUS_ERROR_INVALID_ARGS) ? CTL_MISUSE : CTL_NEGATIVE;
}
