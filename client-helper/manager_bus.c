#include "manager_bus.h"

#include <errno.h>
#include <string.h>
#include "bus_message.h"
#include "log.h"
#include "request_bus.h"
#include "state_file.h"
#include "util.h"

/* The bus's policy says the same; one of the two may be missing or wrong. */
static int admit(sd_bus_message *message, sd_bus_error *error)
{
	int r = bus_check_root(message, error);

	if (r >= 0)
		log_line(SD_DEBUG, "%s by %s", sd_bus_message_get_member(message),
			sd_bus_message_get_sender(message));
	return r;
}

static int on_announce(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct announcement announcement = {};
	int r;

	r = admit(message, error);
	if (r >= 0)
		r = announcement_read(message, &announcement, error);
	if (r < 0)
		return r;
	manager_announce(userdata, message, &announcement);
	announcement_clear(&announcement);
	return sd_bus_reply_method_return(message, NULL);
}

static int on_apply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct request request = {};
	int r;

	r = admit(message, error);
	if (r >= 0)
		r = request_read(message, &request, error);
	if (r >= 0)
		r = manager_apply(userdata, message, &request, error);
	request_clear(&request);
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int on_adopt(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *name, *link;
	int r, ifindex;

	r = admit(message, error);
	if (r >= 0)
		r = sd_bus_message_read(message, "ssi", &name, &link, &ifindex);
	if (r < 0)
		return r;
	if (!state_file_is_link(link) || ifindex <= 0)
		return sd_bus_error_setf(
			error, SD_BUS_ERROR_INVALID_ARGS, "no name of a link of ours (encdns0), or no index");
	r = manager_adopt(userdata, name, link, ifindex, error);
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int on_remove(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *name, *reason;
	int r;

	r = admit(message, error);
	if (r >= 0)
		r = sd_bus_message_read(message, "ss", &name, &reason);
	if (r < 0)
		return r;
	if (strcmp(reason, "orderly") != 0 && strcmp(reason, "lost") != 0)
		return sd_bus_error_setf(
			error, SD_BUS_ERROR_INVALID_ARGS, "the reason is neither \"orderly\" nor \"lost\"");
	r = manager_remove(userdata, message, name, strcmp(reason, "orderly") == 0, error);
	return r < 0 ? r : 1;
}

static int on_block(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *name;
	int r;

	r = admit(message, error);
	if (r >= 0)
		r = sd_bus_message_read(message, "s", &name);
	if (r >= 0)
		r = manager_block(userdata, name, error);
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int on_release(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *name;
	int r;

	r = admit(message, error);
	if (r >= 0)
		r = sd_bus_message_read(message, "s", &name);
	if (r >= 0)
		r = manager_release(userdata, message, name, error);
	return r < 0 ? r : 1;
}

static int on_describe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	cleanup_free char *json = NULL;
	int r;

	r = manager_describe(userdata, true, &json);
	return r < 0 ? r : sd_bus_reply_method_return(message, "s", json);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Announce", SD_BUS_ARGS("a{sv}", properties), SD_BUS_NO_RESULT,
		on_announce, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("s", connection, "a{sv}", properties),
		SD_BUS_NO_RESULT, on_apply, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Adopt", SD_BUS_ARGS("s", connection, "s", link, "i", ifindex),
		SD_BUS_NO_RESULT, on_adopt, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("s", connection, "s", reason),
		SD_BUS_RESULT("b", keep_link), on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Block", SD_BUS_ARGS("s", connection), SD_BUS_NO_RESULT, on_block,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("s", connection), SD_BUS_NO_RESULT, on_release,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), on_describe,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Released", SD_BUS_ARGS("s", connection, "s", link), 0),
	SD_BUS_SIGNAL_WITH_ARGS("LinkWanted", SD_BUS_ARGS("s", connection), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Changed", SD_BUS_NO_ARGS, 0),
	SD_BUS_VTABLE_END,
};

int manager_bus_add(sd_bus *bus, struct manager *manager, sd_bus_slot **ret_slot)
{
	return sd_bus_add_object_vtable(
		bus, ret_slot, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE, vtable, manager);
}

static void changed(void *userdata)
{
	sd_bus_emit_signal(userdata, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE, "Changed", NULL);
}

static void released(const char *connection, const char *link, void *userdata)
{
	sd_bus_emit_signal(userdata, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE, "Released", "ss",
		connection, link ? link : "");
}

/* To one alone: of two that heard it, both would make one. */
static void link_wanted(const char *connection, const char *charon, void *userdata)
{
	cleanup_message sd_bus_message *signal = NULL;
	int r;

	r = sd_bus_message_new_signal(
		userdata, &signal, MANAGER_BUS_PATH, MANAGER_BUS_INTERFACE, "LinkWanted");
	if (r >= 0)
		r = sd_bus_message_append(signal, "s", connection);
	if (r >= 0)
		sd_bus_send_to(userdata, signal, charon, NULL);
}

const struct manager_events manager_bus_events = {
	.changed = changed,
	.released = released,
	.link_wanted = link_wanted,
};
