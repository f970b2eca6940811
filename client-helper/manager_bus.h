/*
 * encdnsd on the system bus: conf/org.strongswan.EncDns1.Manager.xml says what it offers. Arguments
 * are bounded and checked here; what they mean is the manager's business.
 */
#pragma once

#include <systemd/sd-bus.h>
#include "manager.h"

#define MANAGER_BUS_NAME "org.strongswan.EncDns1"
#define MANAGER_BUS_PATH "/org/strongswan/EncDns1"
#define MANAGER_BUS_INTERFACE "org.strongswan.EncDns1.Manager"

/* Puts the object on the bus; *ret_slot holds it there. 0 or -errno. */
int manager_bus_add(sd_bus *bus, struct manager *manager, sd_bus_slot **ret_slot);

/* For manager_new(); userdata is the bus. */
extern const struct manager_events manager_bus_events;
