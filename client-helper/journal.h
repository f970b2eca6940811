/*
 * What the journal is told of a connection: a line for every news of its state, and at the level
 * debug one for every news of its resolvers.
 */
#pragma once

#include "connection_state.h"

/* What was said last. Zeroed: nothing yet. */
struct journal {
	bool told;
	enum connection_state state;
	char *reason;
	char *resolvers;
};

void journal_connection(struct journal *journal, const struct connection *connection,
	const struct links *links, const struct anchors *anchors, const struct fitness *fitness);

void journal_clear(struct journal *journal);
