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
typedef void (*manager_changed_t)(struct manager *manager, void *userdata);

/* Called when a link is needed no more because a block was lifted. */
typedef void (*manager_released_t)(
	struct manager *manager, const char *connection, const char *link, void *userdata);

/* folder: of state files; NULL: none are kept. What they say is up again, blocked. 0 or -errno. */
int manager_new(sd_bus *bus, const char *folder, manager_changed_t changed,
	manager_released_t released, void *userdata, struct manager **ret);

/* Takes what *announcement owns. */
void manager_announce(struct manager *manager, struct announcement *announcement);

/*
 * The calls of the bus. Each 0, or -errno with *error set: then nothing has changed. Remove and
 * Release answer the message themselves, when resolved has been brought there.
 */
int manager_apply(
	struct manager *manager, sd_bus_message *message, struct request *request, sd_bus_error *error);
int manager_remove(struct manager *manager, sd_bus_message *message, const char *name, bool orderly,
	sd_bus_error *error);
int manager_release(
	struct manager *manager, sd_bus_message *message, const char *name, sd_bus_error *error);

/* The status as JSON (status.h). 0 or -ENOMEM. */
int manager_describe(const struct manager *manager, bool counters, char **ret);

struct manager *manager_free(
	struct manager *manager); /* takes NULL, returns NULL; undoes nothing */
