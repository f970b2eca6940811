#include "networkd.h"

#include "bus_message.h"

#define CALL_TIMEOUT_USEC (3 * UINT64_C(1000000))

static int new_call(sd_bus *bus, const char *method, sd_bus_message **ret)
{
	int r;

	r = sd_bus_message_new_method_call(bus, ret, "org.freedesktop.network1",
		"/org/freedesktop/network1", "org.freedesktop.network1.Manager", method);
	return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static int call(sd_bus *bus, sd_bus_message *message, sd_bus_message_handler_t done, void *userdata,
	sd_bus_slot **ret_slot)
{
	int r;

	r = sd_bus_call_async(bus, ret_slot, message, done, userdata, CALL_TIMEOUT_USEC);
	return r < 0 ? r : 0;
}

int networkd_set_domains(sd_bus *bus, int ifindex, const struct link_domains *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_call(bus, "SetLinkDomains", &message);
	if (r >= 0)
		r = bus_message_append_domains(message, ifindex, domains);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int networkd_set_default_route(sd_bus *bus, int ifindex, bool enable, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_call(bus, "SetLinkDefaultRoute", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "ib", ifindex, enable);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int networkd_revert_dns(
	sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_call(bus, "RevertLinkDNS", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "i", ifindex);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}
