/*
 * The status as JSON: what Describe returns and encdnsctl --json prints. What its members mean is
 * written in man/status.opt. They are always there; a value that is not known or does not apply is
 * null.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "connection.h"
#include "fitness.h"
#include "links.h"

/* What the plugin says of itself (Announce). */
struct announcement {
	char *version, *daemon, *config_file;
	uint64_t config_time_usec; /* of the newest file loaded; 0: not told */
	char **config_errors;
	char **links; /* that are there: name, connection, name, connection, ... */
};

const char *server_state_name(enum server_state state); /* "connected" */

void announcement_clear(struct announcement *announcement);

/* What the status is made of; all of it stays the caller's. */
struct status_input {
	const struct connection **connections;
	size_t n_connections;
	const struct links *links;     /* NULL: none */
	const struct anchors *anchors; /* NULL: none */
	const struct fitness *fitness;
	const struct announcement *announcement; /* NULL: none yet */
};

/* counters: with what changes all the time. 0 or -ENOMEM. */
int status_describe(const struct status_input *input, bool counters, char **ret);
