/*
 * All connections, and what they share: other links, the watch over resolved, the callers on the
 * bus. Whoever applied a connection is watched: when it leaves the bus without a Remove, the
 * connection is lost and its domains fail closed.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include "connection.h"
#include "status.h"

struct manager;

/* Called when the status says something else than before, counters aside. */
typedef void (*manager_changed_t)(void *userdata);

/* Called when a block was lifted: its link, if it had one, is needed no more. */
typedef void (*manager_released_t)(const char *connection, const char *link, void *userdata);

/*
 * Called when a connection has no link, and again until it has: one plugin is to make one. charon:
 * the unique name on the bus of the one that applied it, or else of any; NULL: none is known.
 */
typedef void (*manager_link_wanted_t)(const char *connection, const char *charon, void *userdata);

struct manager_events {
	manager_changed_t changed;
	manager_released_t released;
	manager_link_wanted_t link_wanted;
};

/*
 * runtime: folder of what a restart must know; state: folder of what a reboot must know; NULL:
 * nothing is kept. What the files say is up again, blocked. 0 or -errno.
 */
int manager_new(sd_bus *bus, const char *runtime, const char *state,
	const struct manager_events *events, void *userdata, struct manager **ret);

/* message: whose sender it is. Takes what *announcement owns. */
void manager_announce(
	struct manager *manager, sd_bus_message *message, struct announcement *announcement);

/*
 * The calls of the bus. Each 0, or -errno with *error set: then nothing has changed. Remove and
 * Release answer the message themselves, when resolved has been brought there.
 */
int manager_apply(
	struct manager *manager, sd_bus_message *message, struct request *request, sd_bus_error *error);
int manager_adopt(
	struct manager *manager, const char *name, const char *link, int ifindex, sd_bus_error *error);
int manager_remove(struct manager *manager, sd_bus_message *message, const char *name, bool orderly,
	sd_bus_error *error);
int manager_block(struct manager *manager, const char *name, sd_bus_error *error);
int manager_release(
	struct manager *manager, sd_bus_message *message, const char *name, sd_bus_error *error);

/* The status as JSON (status.h). 0 or -ENOMEM. */
int manager_describe(const struct manager *manager, bool counters, char **ret);

struct manager *manager_free(
	struct manager *manager); /* takes NULL, returns NULL; undoes nothing */
