#include "systemd.h"

#include "bus_message.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define RESOLVED_UNIT "systemd-resolved.service"

/* No match on the unit's name: sd-bus finds no argument behind one that is no string. */
#define JOB_REMOVED                                                                                \
	"type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH "',"                             \
	"interface='" SYSTEMD_MANAGER "',member='JobRemoved'"

#define CALL_TIMEOUT_USEC (10 * UINT64_C(1000000))

static int new_call(sd_bus *bus, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(
		bus, ret, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

int systemd_reload_resolved(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_call(bus, "ReloadOrTryRestartUnit", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "ss", RESOLVED_UNIT, "replace");
	if (r >= 0)
		r = sd_bus_call_async(bus, ret_slot, message, done, userdata, CALL_TIMEOUT_USEC);
	return r < 0 ? r : 0;
}

int systemd_watch_jobs(
	sd_bus *bus, sd_bus_message_handler_t removed, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	int r;

	r = sd_bus_add_match_async(bus, &slot, JOB_REMOVED, removed, NULL, userdata);
	/* systemd signals only while somebody has subscribed; twice is an error that changes nothing.
	 */
	if (r >= 0)
		r = new_call(bus, "Subscribe", &message);
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(message, false);
	if (r >= 0)
		r = sd_bus_send(bus, message, NULL);
	if (r < 0)
		return r;
	*ret_slot = steal(slot);
	return 0;
}
