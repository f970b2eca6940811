/*
 * Reads Apply's and Announce's a{sv} into plain structs. Every count and length has a bound; a
 * known key of the wrong type, or a value that makes no sense, is an error that says which.
 */
#pragma once

#include <systemd/sd-bus.h>
#include "manager.h"
#include "request.h"

/* message: at the "sa{sv}" of Apply. 0, or -errno with *error set; *ret is untouched then. */
int request_read(sd_bus_message *message, struct request *ret, sd_bus_error *error);

/* message: at the "a{sv}" of Announce. */
int announcement_read(sd_bus_message *message, struct announcement *ret, sd_bus_error *error);

/* Whether it can be the name of a connection: 1 to 255 octets, none of them a control character. */
bool request_name_is_valid(const char *name);
