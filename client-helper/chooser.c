#include "chooser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "peer.h"

enum { BREAKS_IN_A_ROW = 2 };

/* ---- choosing ---- */

/* One that is known to be down is not waited for, also while it is tried again. */
static bool usable(const struct peer *peer, uint32_t tried)
{
	return peer->state != SERVER_FAILED && peer->state != SERVER_REFUSED && !(tried & peer->bit);
}

static bool better(const struct peer *peer, const struct peer *than)
{
	if (peer->hesitant != than->hesitant)
		return than->hesitant;
	return peer->server.priority == than->server.priority && peer->state == SERVER_CONNECTED &&
		   than->state != SERVER_CONNECTED;
}

static struct peer *choose(const struct chooser *chooser, uint32_t tried)
{
	struct peer *best = NULL;

	for (size_t i = 0; i < chooser->n_peers; i++) {
		struct peer *peer = chooser->order[i];

		if (usable(peer, tried) && (!best || better(peer, best)))
			best = peer;
	}
	return best;
}

static void give_up(struct chooser *chooser, struct query *query)
{
	enum dns_ede code = DNS_EDE_NO_REACHABLE_AUTHORITY;
	const char *text = "no resolver of this network has answered";

	if (chooser->n_peers == 0) {
		text = "there is no resolver of this network to ask";
	} else if (!choose(chooser, 0)) {
		code = DNS_EDE_NETWORK_ERROR;
		text = "no resolver of this network can be used";
	}
	chooser->ops->fail(query, code, text, chooser->userdata);
}

/* ---- queries ---- */

static void enqueue(struct peer *peer, struct query *query, uint64_t patience)
{
	query->late = false;
	query->sent = chooser_now(peer->chooser);
	query_list_append(&peer->waiting, query);
	chooser_wake_at(peer->chooser, query->sent + patience);
	peer_pump(peer);
}

static uint64_t revivable_at(const struct peer *peer)
{
	/* A plain server shows only by its answers that it is back, so that every try
	   takes its time. */
	return peer->tried_at + (peer->server.transport == TRANSPORT_PLAIN ? LIMIT_PAUSE_PLAIN_USEC
																	   : LIMIT_PAUSE_ASKED_USEC);
}

/* An attempt under way may have come to nothing long ago: only a young one is waited for. */
static bool revivable(struct peer *peer, uint64_t usec)
{
	if (peer->carrier)
		return usec < peer->tried_at + LIMIT_REVIVAL_USEC;
	return usec >= revivable_at(peer) && peer_connect(peer);
}

/*
 * All are known to be down, but somebody asks: they are tried again now, unless that was just done,
 * and the query waits for it, so briefly that its asker does not notice. Otherwise the first answer
 * after a restart would have to wait for the end of a pause.
 */
static bool revive(struct chooser *chooser, struct query *query)
{
	uint64_t usec = chooser_now(chooser);
	struct peer *first = NULL;

	for (size_t i = 0; i < chooser->n_peers; i++) {
		struct peer *peer = chooser->order[i];

		if (peer->state == SERVER_FAILED && !(query->tried & peer->bit) &&
			revivable(peer, usec) && !first)
			first = peer;
	}
	if (!first)
		return false;
	enqueue(first, query, LIMIT_REVIVAL_USEC);
	return true;
}

/* Gives the query to the best server that has not failed it, or back to the owner. */
static void place(struct chooser *chooser, struct query *query)
{
	struct peer *peer;

	while ((peer = choose(chooser, query->tried))) {
		if (!peer->carrier && !peer_connect(peer))
			continue;
		enqueue(peer, query, LIMIT_ATTEMPT_USEC);
		return;
	}
	if (!revive(chooser, query))
		give_up(chooser, query);
}

static void place_all(struct chooser *chooser, struct query_list *list)
{
	struct query *query;

	while ((query = query_list_pop(list)))
		place(chooser, query);
	chooser_flush(chooser);
}

/* ---- what the connections tell ---- */

/* A server is back: queries that wait for others that are down need not. */
static void gather(struct chooser *chooser)
{
	struct query_list waiting = {0};

	for (size_t i = 0; i < chooser->n_peers; i++)
		if (chooser->peers[i]->state == SERVER_FAILED)
			query_list_move(&chooser->peers[i]->waiting, &waiting);
	place_all(chooser, &waiting);
}

static void on_ready(struct carrier *carrier, void *userdata)
{
	struct peer *peer = userdata;

	if (peer->state != SERVER_CONNECTED) {
		peer_opened(peer);
		gather(peer->chooser);
	}
	peer_pump(peer);
	peer_flush(peer);
}

static struct query_list *list_of(struct peer *peer, const struct carrier *carrier)
{
	return carrier == peer->leaving ? &peer->left : &peer->sent;
}

static void on_answer(struct carrier *carrier, struct query *query, uint8_t *message, size_t length,
	const struct dns_message *parsed, void *userdata)
{
	struct peer *peer = userdata;
	struct chooser *chooser = peer->chooser;

	query_list_remove(list_of(peer, carrier), query);
	peer->heard_at = chooser_now(chooser);
	peer->answers++;
	peer->breaks = 0;
	peer->pause = 0;
	histogram_add(&peer->rtt, peer->heard_at - query->sent);
	if (peer->last_error[0])
		peer_set_state(peer, peer->state, "");
	chooser->ops->answer(query, message, length, parsed, chooser->userdata);
}

static void on_refused(struct carrier *carrier, struct query *query, bool again, void *userdata)
{
	struct peer *peer = userdata;

	query_list_remove(list_of(peer, carrier), query);
	peer->heard_at = chooser_now(peer->chooser);
	if (!again || query->resent) {
		query->tried |= peer->bit;
		peer->failures++;
	}
	query->resent = true;
	place(peer->chooser, query);
}

static void on_idle(struct carrier *carrier, void *userdata)
{
	struct peer *peer = userdata;
	struct chooser *chooser = peer->chooser;

	chooser->ops->idle(chooser->userdata);
	chooser_flush(chooser);
}

/* A server that ends one connection after the other without an answer is of no use. */
static void count_break(struct peer *peer)
{
	if (peer->sent.first && peer->heard_at <= peer->sent.first->sent)
		peer->breaks++;
}

static void failed_by_breaks(struct peer *peer, const char *reason)
{
	peer_failed(peer, reason ? reason : "the server closes the connection without an answer");
}

static void on_leaving(struct carrier *carrier, void *userdata)
{
	struct peer *peer = userdata;
	struct query_list lost = {0};

	if (carrier != peer->carrier)
		return;
	count_break(peer);
	peer_let_go(peer, &lost);
	if (peer->breaks >= BREAKS_IN_A_ROW)
		failed_by_breaks(peer, NULL);
	else
		peer_set_state(peer, SERVER_IDLE, NULL);
	place_all(peer->chooser, &lost);
}

static void on_closed(struct carrier *carrier, bool final, const char *reason, void *userdata)
{
	struct peer *peer = userdata;
	struct query_list lost = {0};
	bool was_open = carrier->open, revived = peer->state == SERVER_FAILED;

	if (carrier == peer->leaving) {
		peer_drop_leaving(peer, &lost);
		place_all(peer->chooser, &lost);
		return;
	}
	count_break(peer);
	peer_disconnect(peer);
	peer_take_all(peer, &lost);
	/* One revival per query: it is to fail soon, however often the server refuses. */
	for (struct query *query = lost.first; query && revived; query = query->next)
		query->tried |= peer->bit;
	if (final) {
		peer->failures++;
		peer_set_state(peer, SERVER_REFUSED, reason);
	} else if (!was_open) {
		peer_failed(peer, reason);
	} else if (peer->breaks >= BREAKS_IN_A_ROW) {
		failed_by_breaks(peer, reason);
	} else {
		peer_set_state(peer, SERVER_IDLE, reason);
	}
	place_all(peer->chooser, &lost);
}

/* ---- time ---- */

static bool silent_since(const struct peer *peer, const struct query *query)
{
	return peer->heard_at <= query->sent;
}

static void time_out(struct chooser *chooser, struct query *query)
{
	chooser->ops->fail(query, DNS_EDE_NO_REACHABLE_AUTHORITY,
		"no resolver of this network has answered in time", chooser->userdata);
}

/* Queries that have waited for an answer for too long. */
static void look_at_sent(struct peer *peer, uint64_t usec, struct query_list *moved)
{
	struct chooser *chooser = peer->chooser;
	bool failing = false, restart = false, elsewhere;
	struct query *next;

	for (struct query *query = peer->sent.first; query; query = next) {
		uint64_t end = query->arrived + LIMIT_TOTAL_USEC;
		bool silent = silent_since(peer, query);

		next = query->next;
		if (usec < end && (query->late || usec < query->sent + LIMIT_ATTEMPT_USEC)) {
			chooser_wake_at(chooser, query->late || end < query->sent + LIMIT_ATTEMPT_USEC
										 ? end
										 : query->sent + LIMIT_ATTEMPT_USEC);
			continue;
		}
		elsewhere = choose(chooser, query->tried | peer->bit);
		if (usec < end && !elsewhere && !peer->carrier->lossy) {
			/* The server may be slow, the connection may be dead: one new connection tells. */
			restart = restart || (silent && !query->resent);
			query->late = true;
			chooser_wake_at(chooser, end);
			continue;
		}
		peer->carrier->ops->forget(peer->carrier, query);
		query_list_remove(&peer->sent, query);
		failing = failing || (silent && (elsewhere || usec >= end));
		if (usec >= end) {
			time_out(chooser, query);
			continue;
		}
		if (elsewhere)
			query->tried |= peer->bit;
		query->resent = true;
		query_list_append(moved, query);
	}
	if (failing || restart) {
		peer_disconnect(peer);
		peer_take_all(peer, moved);
		if (failing)
			peer_failed(peer, "the server does not answer");
		else
			peer_set_state(peer, SERVER_IDLE, NULL);
	}
}

/* Queries that the server has not answered on the connection that it is leaving. */
static void look_at_left(struct peer *peer, uint64_t usec, struct query_list *moved)
{
	struct chooser *chooser = peer->chooser;
	struct query *next;

	for (struct query *query = peer->left.first; query; query = next) {
		uint64_t last = query->arrived + LIMIT_TOTAL_USEC;
		uint64_t end = query->sent + LIMIT_ATTEMPT_USEC;

		next = query->next;
		if (usec < last && usec < end) {
			chooser_wake_at(chooser, last < end ? last : end);
			continue;
		}
		peer->leaving->ops->forget(peer->leaving, query);
		query_list_remove(&peer->left, query);
		if (usec >= last) {
			time_out(chooser, query);
			continue;
		}
		peer_send_again(peer, query);
		query_list_append(moved, query);
	}
	if (peer->leaving && !peer->left.first)
		peer_drop_leaving(peer, moved);
}

/* Queries that have waited for a connection, or for room on it, for too long. */
static void look_at_waiting(struct peer *peer, uint64_t usec, struct query_list *moved)
{
	struct chooser *chooser = peer->chooser;
	struct query *next;

	for (struct query *query = peer->waiting.first; query; query = next) {
		uint64_t end = query->arrived + LIMIT_TOTAL_USEC;
		bool slow;

		if (peer->state == SERVER_FAILED && query->sent + LIMIT_REVIVAL_USEC < end)
			end = query->sent + LIMIT_REVIVAL_USEC;
		slow = usec >= query->arrived + LIMIT_ATTEMPT_USEC;

		next = query->next;
		peer->hesitant = peer->hesitant || (slow && !peer->carrier->open);
		if (usec >= end) {
			query_list_remove(&peer->waiting, query);
			give_up(chooser, query);
		} else if (slow && choose(chooser, query->tried | peer->bit)) {
			query_list_remove(&peer->waiting, query);
			query->tried |= peer->bit;
			query_list_append(moved, query);
		} else {
			chooser_wake_at(chooser, slow ? end : query->arrived + LIMIT_ATTEMPT_USEC);
		}
	}
}

static void look_at(struct peer *peer, uint64_t usec)
{
	struct chooser *chooser = peer->chooser;
	struct query_list moved = {0};

	look_at_left(peer, usec, &moved);
	if (peer->state == SERVER_FAILED && !peer->carrier) {
		if (usec >= peer->retry_at)
			(void)peer_connect(peer);
		else
			chooser_wake_at(chooser, peer->retry_at);
		place_all(chooser, &moved);
		return;
	}
	look_at_sent(peer, usec, &moved);
	look_at_waiting(peer, usec, &moved);
	if (peer->carrier && peer->carrier->open && !peer->sent.first && !peer->waiting.first) {
		if (usec >= peer->used_at + LIMIT_IDLE_USEC) {
			peer_disconnect(peer);
			peer_set_state(peer, SERVER_IDLE, NULL);
		} else {
			chooser_wake_at(chooser, peer->used_at + LIMIT_IDLE_USEC);
		}
	}
	place_all(chooser, &moved);
}

/* ---- the outside ---- */

void chooser_warm_up(struct chooser *chooser)
{
	struct peer *peer;

	do
		peer = choose(chooser, 0);
	while (
		peer && !peer->carrier && peer->server.transport != TRANSPORT_PLAIN && !peer_connect(peer));
}

void chooser_submit(struct chooser *chooser, struct query *query)
{
	place(chooser, query);
}

void chooser_flush(struct chooser *chooser)
{
	for (size_t i = 0; i < chooser->n_peers; i++)
		if (chooser->peers[i]->dirty || chooser->peers[i]->waiting.first)
			peer_flush(chooser->peers[i]);
}

uint64_t chooser_deadline(const struct chooser *chooser)
{
	return chooser->deadline;
}

void chooser_tick(struct chooser *chooser)
{
	uint64_t usec = chooser_now(chooser);

	chooser->deadline = UINT64_MAX;
	for (size_t i = 0; i < chooser->n_peers; i++)
		look_at(chooser->peers[i], usec);
	if (chooser->deadline < usec + LIMIT_TICK_USEC)
		chooser->deadline = usec + LIMIT_TICK_USEC;
}

size_t chooser_n_servers(const struct chooser *chooser)
{
	return chooser->n_peers;
}

struct server_status chooser_status(const struct chooser *chooser, size_t index)
{
	struct server_status status = peer_status(chooser->peers[index]);

	status.preferred = choose(chooser, 0) == chooser->peers[index];
	return status;
}

static int by_priority(const void *a, const void *b)
{
	const struct peer *left = *(struct peer *const *)a, *right = *(struct peer *const *)b;

	if (left->server.priority != right->server.priority)
		return left->server.priority < right->server.priority ? -1 : 1;
	return (left->lot > right->lot) - (left->lot < right->lot);
}

/* The same server among the old ones, out of their array; NULL: none. */
static struct peer *find_kept(
	struct chooser *chooser, const struct server *server, struct peer **peers, size_t n)
{
	for (size_t i = 0; i < chooser->n_peers; i++) {
		struct peer *peer = chooser->peers[i];
		bool taken = false;

		for (size_t j = 0; j < n; j++)
			taken = taken || peers[j] == peer;
		if (!taken && server_equal(&peer->server, server))
			return peer;
	}
	return NULL;
}

static bool contains(struct peer *const *peers, size_t n, const struct peer *peer)
{
	for (size_t i = 0; i < n; i++)
		if (peers[i] == peer)
			return true;
	return false;
}

static void free_others(struct peer **peers, size_t n, struct peer *const *kept, size_t n_kept)
{
	for (size_t i = 0; i < n; i++)
		if (!contains(kept, n_kept, peers[i]))
			peer_free(peers[i]);
}

/* A kept server has another place now, so what its queries remember of servers is void. */
static void settle(struct peer *peer, size_t index, const char *refused)
{
	struct query_list *lists[] = {&peer->waiting, &peer->sent, &peer->left};

	peer->bit = UINT32_C(1) << index;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (struct query *query = lists[i]->first; query; query = query->next)
			query->tried = 0;
	if (getrandom(&peer->lot, sizeof(peer->lot), 0) < 0)
		peer->lot = 0;
	if (refused)
		peer_set_state(peer, SERVER_REFUSED, refused);
}

int chooser_set_servers(struct chooser *chooser, const struct server *servers, size_t n_servers,
	const char *const *refused, bool keep)
{
	size_t n = n_servers < LIMIT_SERVERS ? n_servers : LIMIT_SERVERS, n_old = chooser->n_peers;
	struct peer **peers = calloc(n + 1, sizeof(*peers)), **order = calloc(n + 1, sizeof(*order));
	struct peer **old = chooser->peers;
	int result = peers && order ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && result == 0; i++) {
		peers[i] = keep ? find_kept(chooser, &servers[i], peers, i) : NULL;
		if (!peers[i])
			result = peer_new(chooser, &servers[i], &peers[i]);
	}
	if (result < 0) {
		if (peers)
			free_others(peers, n, old, n_old);
		free(peers);
		free(order);
		return result;
	}
	free_others(old, n_old, peers, n);
	free(old);
	free(chooser->order);
	chooser->peers = peers;
	chooser->order = order;
	chooser->n_peers = n;
	for (size_t i = 0; i < n; i++) {
		settle(peers[i], i, refused ? refused[i] : NULL);
		order[i] = peers[i];
	}
	qsort(order, n, sizeof(*order), by_priority);
	chooser_wake_at(chooser, chooser_now(chooser));
	chooser->ops->changed(chooser->userdata);
	return 0;
}

int chooser_new(const struct chooser_ops *ops, void *userdata, struct chooser **ret)
{
	static const struct carrier_events events = {
		.ready = on_ready,
		.answer = on_answer,
		.refused = on_refused,
		.leaving = on_leaving,
		.idle = on_idle,
		.closed = on_closed,
	};
	struct chooser *chooser = calloc(1, sizeof(*chooser));

	if (!chooser)
		return -ENOMEM;
	chooser->ops = ops;
	chooser->userdata = userdata;
	chooser->events = &events;
	chooser->deadline = UINT64_MAX;
	*ret = chooser;
	return 0;
}

struct chooser *chooser_free(struct chooser *chooser)
{
	if (chooser) {
		free_others(chooser->peers, chooser->n_peers, NULL, 0);
		free(chooser->peers);
		free(chooser->order);
	}
	free(chooser);
	return NULL;
}
