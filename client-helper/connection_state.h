/*
 * What is true of a connection, in one word and a reason: for the status and the journal.
 */
#pragma once

#include "anchors.h"
#include "connection.h"
#include "fitness.h"
#include "links.h"

/* Worst news first where several are true. */
enum connection_state {
	STATE_NOTHING, /* there is nothing to apply */
	STATE_BLOCKED,
	STATE_LEAVING,
	STATE_WAITING, /* resolved is not there, or does not use what it was told */
	STATE_LEAKING, /* in force, but another link is asked too */
	STATE_APPLYING,
	STATE_FAILING, /* in force, but no resolver can be asked: names fail */
	STATE_IN_FORCE,
};

/* *ret_reason: a sentence to be freed, or NULL. 0 or -ENOMEM. */
int connection_judge(const struct connection *connection, const struct links *links,
	const struct anchors *anchors, const struct fitness *fitness, enum connection_state *ret,
	char **ret_reason);

const char *connection_state_name(enum connection_state state); /* "in-force" */
