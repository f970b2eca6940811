/*
 * systemd-networkd's D-Bus interface (org.freedesktop.network1): the DNS settings of the links that
 * it manages, which resolved refuses to change (LinkBusy). Calls as in resolved.h.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include "link_domains.h"

int networkd_set_domains(sd_bus *bus, int ifindex, const struct link_domains *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);
int networkd_set_default_route(sd_bus *bus, int ifindex, bool enable, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot);

/* Back to what networkd's own configuration and the leases say. */
int networkd_revert_dns(sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata,
	sd_bus_slot **ret_slot);
