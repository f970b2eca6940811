#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "bus_message.h"
#include "json_file.h"
#include "manager_bus.h"

int ctl_open_bus(sd_bus **ret)
{
	int r;

	r = sd_bus_open_system(ret);
	if (r < 0)
		fprintf(stderr, "encdnsctl: no system bus: %s\n", strerror(-r));
	return r;
}

int ctl_call(const char *method, sd_bus_message **ret_reply, const char *types, ...)
{
	cleanup(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	cleanup_message sd_bus_message *message = NULL;
	va_list args;
	int r;

	r = ctl_open_bus(&bus);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(
		bus, &message, MANAGER_BUS_NAME, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE, method);
	if (r >= 0 && types) {
		va_start(args, types);
		r = sd_bus_message_appendv(message, types, args);
		va_end(args);
	}
	if (r >= 0)
		r = sd_bus_call(bus, message, 0, &error, ret_reply);
	if (r < 0)
		fprintf(stderr, "encdnsctl: %s\n", error.message ? error.message : strerror(-r));
	return r < 0 ? r : 0;
}

static int call_describe(sd_bus *bus, sd_bus_error *error, sd_bus_message **ret_reply)
{
	return sd_bus_call_method(bus, MANAGER_BUS_NAME, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE,
		"Describe", error, ret_reply, NULL);
}

bool ctl_encdnsd_runs(sd_bus *bus)
{
	cleanup_message sd_bus_message *reply = NULL;
	int has_owner = 0;

	return sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			   "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
			   MANAGER_BUS_NAME) >= 0 &&
		   sd_bus_message_read(reply, "b", &has_owner) >= 0 && has_owner;
}

int ctl_describe_over(sd_bus *bus, json_object **ret, char **ret_error)
{
	cleanup(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_message sd_bus_message *reply = NULL;
	const char *text;
	int r;

	r = call_describe(bus, &error, &reply);
	/* The bus says so where encdnsd ended while it was asked: the next question finds it started. */
	if (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY)) {
		sd_bus_error_free(&error);
		r = call_describe(bus, &error, &reply);
	}
	if (r < 0) {
		set_text(ret_error, "%s", error.message ? error.message : strerror(-r));
		return r;
	}
	r = sd_bus_message_read(reply, "s", &text);
	*ret = r >= 0 ? json_tokener_parse(text) : NULL;
	if (!*ret) {
		set_text(ret_error, "encdnsd's answer cannot be read");
		return -EBADMSG;
	}
	return 0;
}

int ctl_describe(json_object **ret)
{
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	cleanup_free char *error = NULL;
	int r;

	r = ctl_open_bus(&bus);
	if (r < 0)
		return r;
	r = ctl_describe_over(bus, ret, &error);
	if (r < 0)
		fprintf(stderr, "encdnsctl: %s\n", error);
	return r;
}
