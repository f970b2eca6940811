#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* error: NULL leaves the last one as it is. */
void peer_set_state(struct peer *peer, enum server_state state, const char *error)
{
	bool changed = peer->state != state;

	peer->state = state;
	if (error && strcmp(peer->last_error, error) != 0) {
		snprintf(peer->last_error, sizeof(peer->last_error), "%s", error);
		changed = true;
	}
	if (changed)
		peer->chooser->ops->changed(peer->chooser->userdata);
}

void peer_failed(struct peer *peer, const char *reason)
{
	peer->failures++;
	peer->pause = peer->pause == 0 ? LIMIT_PAUSE_MIN_USEC : 2 * peer->pause;
	if (peer->pause > LIMIT_PAUSE_MAX_USEC)
		peer->pause = LIMIT_PAUSE_MAX_USEC;
	peer->retry_at = chooser_now(peer->chooser) + peer->pause;
	chooser_wake_at(peer->chooser, peer->retry_at);
	peer_set_state(peer, SERVER_FAILED, reason);
}

void peer_disconnect(struct peer *peer)
{
	if (peer->carrier)
		peer->carrier->ops->free(peer->carrier);
	peer->carrier = NULL;
	peer->dirty = peer->hesitant = false;
}

void peer_opened(struct peer *peer)
{
	const struct carrier *carrier = peer->carrier;

	if (carrier->tls_version)
		snprintf(peer->tls_version, sizeof(peer->tls_version), "%s", carrier->tls_version);
	peer->authenticated_by = carrier->authenticated_by;
	peer->handshake_usec = carrier->handshake_usec;
	peer->heard_at = peer->used_at = chooser_now(peer->chooser);
	peer->hesitant = false;
	chooser_wake_at(peer->chooser, peer->used_at + LIMIT_IDLE_USEC);
	peer_set_state(peer, SERVER_CONNECTED, NULL);
}

/* False: it has failed at once. */
bool peer_connect(struct peer *peer)
{
	struct chooser *chooser = peer->chooser;
	char reason[LIMIT_ERROR_TEXT] = "out of memory";
	struct carrier_config config = {
		.server = &peer->server,
		.ticket = peer->ticket,
		.attempt = peer->attempts++,
		.events = chooser->events,
		.userdata = peer,
	};

	peer->tried_at = chooser_now(chooser);
	if (chooser->ops->connect(&config, &peer->carrier, reason, chooser->userdata) < 0) {
		peer_failed(peer, reason);
		return false;
	}
	if (peer->carrier->open)
		peer_opened(peer);
	else if (peer->state != SERVER_FAILED)
		peer_set_state(peer, SERVER_CONNECTING, NULL);
	return true;
}

void peer_pump(struct peer *peer)
{
	struct query *query;
	uint64_t usec;

	if (!peer->carrier || !peer->carrier->open || !peer->waiting.first)
		return;
	usec = chooser_now(peer->chooser);
	chooser_wake_at(peer->chooser, usec + LIMIT_ATTEMPT_USEC);
	while ((query = peer->waiting.first)) {
		if (peer->carrier->ops->send(peer->carrier, query) < 0)
			break;
		query_list_remove(&peer->waiting, query);
		query_list_append(&peer->sent, query);
		query->sent = peer->used_at = usec;
		peer->queries++;
		peer->dirty = true;
	}
}

void peer_flush(struct peer *peer)
{
	unsigned left;

	do {
		left = peer->waiting.n;
		if (peer->dirty)
			peer->carrier->ops->flush(peer->carrier);
		peer->dirty = false;
		peer_pump(peer);
	} while (peer->waiting.n < left);
	if (peer->dirty)
		peer->carrier->ops->flush(peer->carrier);
	peer->dirty = false;
}

void peer_send_again(struct peer *peer, struct query *query)
{
	if (query->resent)
		query->tried |= peer->bit;
	query->resent = true;
}

static void take_sent(struct peer *peer, struct query_list *sent, struct query_list *list)
{
	for (struct query *query = sent->first; query; query = query->next)
		peer_send_again(peer, query);
	query_list_move(sent, list);
}

void peer_take_all(struct peer *peer, struct query_list *list)
{
	take_sent(peer, &peer->sent, list);
	query_list_move(&peer->waiting, list);
}

void peer_drop_leaving(struct peer *peer, struct query_list *lost)
{
	if (peer->leaving)
		peer->leaving->ops->free(peer->leaving);
	peer->leaving = NULL;
	take_sent(peer, &peer->left, lost);
}

void peer_let_go(struct peer *peer, struct query_list *lost)
{
	peer_drop_leaving(peer, lost);
	peer->leaving = peer->carrier;
	peer->carrier = NULL;
	peer->dirty = peer->hesitant = false;
	query_list_move(&peer->sent, &peer->left);
	query_list_move(&peer->waiting, lost);
}

struct server_status peer_status(const struct peer *peer)
{
	bool open = peer->carrier && peer->carrier->open;

	/* What was true of a connection that has ended says nothing of the server as it is now. */
	return (struct server_status){
		.server = &peer->server,
		.state = peer->state,
		.tls_version = open && peer->tls_version[0] ? peer->tls_version : NULL,
		.authenticated_by = open ? peer->authenticated_by : NULL,
		.last_error = peer->last_error[0] ? peer->last_error : NULL,
		.queries = peer->queries,
		.answers = peer->answers,
		.failures = peer->failures,
		.handshake_usec = peer->handshake_usec,
		.rtt_median_usec = histogram_quantile(&peer->rtt, 500),
		.rtt_p99_usec = histogram_quantile(&peer->rtt, 990),
	};
}

void peer_free(struct peer *peer)
{
	struct query_list lost = {0};
	struct query *query;

	if (!peer)
		return;
	peer_disconnect(peer);
	peer_take_all(peer, &lost);
	peer_drop_leaving(peer, &lost);
	while ((query = query_list_pop(&lost)))
		peer->chooser->ops->fail(query, DNS_EDE_NO_REACHABLE_AUTHORITY,
			"this network's resolvers have changed", peer->chooser->userdata);
	tls_ticket_free(peer->ticket);
	server_clear(&peer->server);
	free(peer);
}

int peer_new(struct chooser *chooser, const struct server *server, struct peer **ret)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	peer->chooser = chooser;
	if (server_copy(server, &peer->server) < 0 || tls_ticket_new(&peer->ticket) < 0) {
		peer_free(peer);
		return -ENOMEM;
	}
	*ret = peer;
	return 0;
}
