/*
 * systemd's D-Bus interface (org.freedesktop.systemd1), as far as encdnsd needs it: making
 * systemd-resolved read its files again. polkit lets encdnsd do that and nothing else.
 */
#pragma once

#include <systemd/sd-bus.h>

/*
 * Reloads systemd-resolved, or restarts it where it cannot reload; one that does not run is left
 * alone. The reply has the path of the job ("o"). 0 or -errno when not even sent.
 */
int systemd_reload_resolved(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);

/*
 * From now on removed is called whenever a job of systemd's has ended ("uoss", the second is the
 * job's path), until the slot is dropped. To be called before the job is asked for. 0 or -errno.
 */
int systemd_watch_jobs(
	sd_bus *bus, sd_bus_message_handler_t removed, void *userdata, sd_bus_slot **ret_slot);
