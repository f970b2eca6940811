#include "journal.h"

#include <string.h>
#include "log.h"
#include "status.h"
#include "util.h"

static const char *level_of(enum connection_state state)
{
	return state == STATE_LEAKING || state == STATE_FAILING || state == STATE_WAITING ? SD_WARNING
																					  : SD_NOTICE;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What is under way is no news; what comes of it is. */
static void tell_state(struct journal *journal, const struct connection *connection,
	const struct links *links, const struct anchors *anchors, const struct fitness *fitness)
{
	cleanup_free char *reason = NULL;
	enum connection_state state;

	if (connection_judge(connection, links, anchors, fitness, &state, &reason) < 0)
		return;
	if (state == STATE_APPLYING || state == STATE_LEAVING)
		return;
	if (journal->told && state == journal->state && same(reason, journal->reason))
		return;
	log_line(level_of(state), "%s: %s%s%s", connection_name(connection),
		connection_state_name(state), reason ? ": " : "", reason ? reason : "");
	journal->told = true;
	journal->state = state;
	free(journal->reason);
	journal->reason = steal(reason);
}

static void tell_resolvers(struct journal *journal, const struct connection *connection)
{
	const struct resolvers *resolvers = &connection_plan(connection)->resolvers;
	cleanup_free char *text = NULL;
	struct server_status status;

	for (size_t i = 0; i < resolvers->n; i++) {
		const struct server *server = &resolvers->list[i].server;
		cleanup_free char *before = steal(text);

		if (!connection_server_status(connection, i, &status))
			continue;
		set_text(&text, "%s%s%s (%s) %s%s%s%s", before ? before : "", before ? ", " : "",
			server->adn ? server->adn : "plain DNS", transport_to_string(server->transport),
			server_state_name(status.state), status.last_error ? " (" : "",
			status.last_error ? status.last_error : "", status.last_error ? ")" : "");
	}
	if (text && !same(text, journal->resolvers))
		log_line(SD_DEBUG, "%s: %s", connection_name(connection), text);
	free(journal->resolvers);
	journal->resolvers = steal(text);
}

void journal_connection(struct journal *journal, const struct connection *connection,
	const struct links *links, const struct anchors *anchors, const struct fitness *fitness)
{
	tell_state(journal, connection, links, anchors, fitness);
	tell_resolvers(journal, connection);
}

void journal_clear(struct journal *journal)
{
	free(journal->reason);
	free(journal->resolvers);
	memset(journal, 0, sizeof(*journal));
}
