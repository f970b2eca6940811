#include "log_control.h"

#include <stdlib.h>
#include "bus_message.h"
#include "log.h"

static int get_level(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", log_level());
}

static int set_level(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *value, void *userdata, sd_bus_error *error)
{
	const char *level;
	int r;

	r = bus_check_root(value, error);
	if (r >= 0)
		r = sd_bus_message_read(value, "s", &level);
	if (r < 0)
		return r;
	if (log_set_level(level) < 0)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
			"no log level: emerg, alert, crit, err, warning, notice, info, debug");
	log_line(SD_INFO, "log level: %s", level);
	return 0;
}

/* Lines go to stderr, and where that leads is for who starts us to say. */
static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", getenv("JOURNAL_STREAM") ? "journal" : "console");
}

static int get_identifier(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", "encdnsd");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("LogTarget", "s", get_target, 0, 0),
	SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, 0),
	SD_BUS_VTABLE_END,
};

int log_control_add(sd_bus *bus, sd_bus_slot **ret_slot)
{
	return sd_bus_add_object_vtable(
		bus, ret_slot, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE, vtable, NULL);
}
