/*
 * What sd-bus leaves to its users: walking a{sv}, and the arguments that resolved and networkd
 * share.
 */
#pragma once

#include <systemd/sd-bus.h>
#include "link_domains.h"
#include "util.h"

#define cleanup_message cleanup(sd_bus_message_unrefp)

/*
 * Reads one value, whose type is given, or skips it; is inside the variant then. Below 0 ends the
 * walk.
 */
typedef int (*property_reader_t)(
	sd_bus_message *message, const char *name, const char *type, void *userdata);

/* Walks an a{sv}. 0, or the reader's or sd-bus's -errno. */
int bus_message_read_properties(sd_bus_message *message, property_reader_t reader, void *userdata);

/* The arguments of SetLinkDomains, the same in resolved and networkd: "ia(sb)". */
int bus_message_append_domains(
	sd_bus_message *message, int ifindex, const struct link_domains *domains);

/* Who calls is root. 0, or -errno with *error set. */
int bus_check_root(sd_bus_message *message, sd_bus_error *error);

/* A service's error as a sentence for people; never touches *ret without memory. 0 or -ENOMEM. */
int bus_error_to_text(const sd_bus_error *error, const char *service, char **ret);
