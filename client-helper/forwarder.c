/*
 * Joins listener and chooser, owns what the connections share (trust store, virtual IPs) and the
 * one timer behind all deadlines.
 */
#include "forwarder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chooser.h"
#include "inflight.h"
#include "listener.h"
#include "memory.h"
#include "tls.h"
#include "util.h"

enum { TIMER_ACCURACY_USEC = 10000 };

struct forwarder {
	sd_event *event;
	struct query_pool *pool;
	struct listener *listener;
	struct inflight *inflight;
	struct chooser *chooser;
	sd_event_source *timer;
	uint64_t armed; /* UINT64_MAX: the timer is off */
	sd_event_source *change, *trim;
	forwarder_changed_t changed;
	void *userdata;

	struct address *virtual_ips;
	size_t n_virtual_ips;
	char *ca_certificates;
	struct tls_context *tls; /* NULL: no server needs it */
	struct known_hosts hosts;

	uint8_t copy[LIMIT_MESSAGE]; /* of an answer; stays unbacked by memory until it is needed */
};

/* A timer that fires too early costs less than one that is set with every query. */
static void arm(struct forwarder *forwarder)
{
	uint64_t deadline = chooser_deadline(forwarder->chooser);

	if (listener_deadline(forwarder->listener) < deadline)
		deadline = listener_deadline(forwarder->listener);
	if (deadline >= forwarder->armed)
		return;
	forwarder->armed = deadline;
	(void)sd_event_source_set_time(forwarder->timer, deadline);
	(void)sd_event_source_set_enabled(forwarder->timer, SD_EVENT_ONESHOT);
}

/* ---- listener ---- */

static bool is_known(const struct forwarder *forwarder, const struct query *query)
{
	char *const *names = forwarder->hosts.names;
	const uint8_t *question = query->message + DNS_HEADER_SIZE;

	for (size_t i = 0; names && names[i]; i++)
		if (dns_question_names(question, query->question_length, names[i]))
			return true;
	return false;
}

static void on_query(struct query *query, void *userdata)
{
	struct forwarder *forwarder = userdata;

	if (chooser_n_servers(forwarder->chooser) == 0 && is_known(forwarder, query))
		listener_answer_address(forwarder->listener, query, &forwarder->hosts.address);
	else if (!inflight_join(forwarder->inflight, query))
		chooser_submit(forwarder->chooser, query);
}

static void on_batch(void *userdata)
{
	struct forwarder *forwarder = userdata;

	chooser_flush(forwarder->chooser);
	arm(forwarder);
}

/* ---- chooser ---- */

static uint64_t on_now(void *userdata)
{
	uint64_t usec = 0;

	(void)sd_event_now(((struct forwarder *)userdata)->event, CLOCK_MONOTONIC, &usec);
	return usec;
}

static int on_connect(struct carrier_config *config, struct carrier **ret,
	char reason[static LIMIT_ERROR_TEXT], void *userdata)
{
	static const carrier_new_t constructors[] = {
		[TRANSPORT_PLAIN] = datagram_new,
		[TRANSPORT_DOT] = stream_new,
		[TRANSPORT_DOH] = doh_new,
	};
	struct forwarder *forwarder = userdata;

	config->event = forwarder->event;
	config->virtual_ips = forwarder->virtual_ips;
	config->n_virtual_ips = forwarder->n_virtual_ips;
	config->tls = forwarder->tls;
	return constructors[config->server->transport](config, ret, reason);
}

static void on_answer(struct query *query, uint8_t *message, size_t length,
	const struct dns_message *parsed, void *userdata)
{
	struct forwarder *forwarder = userdata;
	struct query *next, *follower = inflight_leave(forwarder->inflight, query);

	/* Each answer is made in place, with its asker's id and size, and sent before the next. */
	for (; follower; follower = next) {
		next = follower->followers;
		memcpy(forwarder->copy, message, length);
		listener_answer(forwarder->listener, follower, forwarder->copy, length, parsed);
		listener_flush(forwarder->listener);
	}
	listener_answer(forwarder->listener, query, message, length, parsed);
}

static void on_fail(struct query *query, enum dns_ede code, const char *text, void *userdata)
{
	struct forwarder *forwarder = userdata;
	struct query *next, *follower = inflight_leave(forwarder->inflight, query);

	for (; follower; follower = next) {
		next = follower->followers;
		listener_fail(forwarder->listener, follower, code, text);
	}
	listener_fail(forwarder->listener, query, code, text);
}

static void on_idle(void *userdata)
{
	struct forwarder *forwarder = userdata;

	listener_flush(forwarder->listener);
	arm(forwarder);
}

static int tell_change(sd_event_source *source, void *userdata)
{
	struct forwarder *forwarder = userdata;

	if (forwarder->changed)
		forwarder->changed(forwarder, forwarder->userdata);
	return 0;
}

/* Once start-up and handshakes are over. */
static int trim(sd_event_source *source, uint64_t usec, void *userdata)
{
	memory_trim();
	return 0;
}

/* Told from the event loop, so that the owner may do with the forwarder what it likes. */
static void on_changed(void *userdata)
{
	struct forwarder *forwarder = userdata;

	(void)sd_event_source_set_enabled(forwarder->change, SD_EVENT_ONESHOT);
	(void)sd_event_source_set_time(forwarder->trim, on_now(forwarder) + LIMIT_TRIM_USEC);
	(void)sd_event_source_set_enabled(forwarder->trim, SD_EVENT_ONESHOT);
	arm(forwarder);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct forwarder *forwarder = userdata;

	forwarder->armed = UINT64_MAX;
	chooser_tick(forwarder->chooser);
	listener_tick(forwarder->listener);
	listener_flush(forwarder->listener);
	arm(forwarder);
	return 0;
}

/* ---- the outside ---- */

struct forwarder *forwarder_free(struct forwarder *forwarder)
{
	if (!forwarder)
		return NULL;
	chooser_free(forwarder->chooser);
	if (forwarder->listener)
		listener_flush(forwarder->listener);
	listener_free(forwarder->listener);
	inflight_free(forwarder->inflight);
	query_pool_free(forwarder->pool);
	sd_event_source_disable_unref(forwarder->timer);
	sd_event_source_disable_unref(forwarder->change);
	sd_event_source_disable_unref(forwarder->trim);
	tls_context_free(forwarder->tls);
	free(forwarder->virtual_ips);
	free(forwarder->ca_certificates);
	list_free(forwarder->hosts.names);
	sd_event_unref(forwarder->event);
	free(forwarder);
	return NULL;
}

int forwarder_new(sd_event *event, const struct address *listen, uint16_t port, const int fds[2],
	forwarder_changed_t changed, void *userdata, struct forwarder **ret)
{
	static const struct listener_events listener_events = {
		.query = on_query,
		.idle = on_batch,
	};
	static const struct chooser_ops chooser_ops = {
		.now = on_now,
		.connect = on_connect,
		.answer = on_answer,
		.fail = on_fail,
		.idle = on_idle,
		.changed = on_changed,
	};
	struct forwarder *forwarder = calloc(1, sizeof(*forwarder));
	int result;

	if (!forwarder)
		return -ENOMEM;
	forwarder->event = sd_event_ref(event);
	forwarder->armed = UINT64_MAX;
	forwarder->changed = changed;
	forwarder->userdata = userdata;
	result = query_pool_new(&forwarder->pool);
	if (result >= 0)
		result = inflight_new(&forwarder->inflight);
	if (result >= 0)
		result = chooser_new(&chooser_ops, forwarder, &forwarder->chooser);
	if (result >= 0)
		result = sd_event_add_time(
			event, &forwarder->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_USEC, on_timer, forwarder);
	if (result >= 0)
		result = sd_event_source_set_enabled(forwarder->timer, SD_EVENT_OFF);
	if (result >= 0)
		result = sd_event_add_defer(event, &forwarder->change, tell_change, forwarder);
	if (result >= 0)
		result = sd_event_source_set_enabled(forwarder->change, SD_EVENT_OFF);
	if (result >= 0)
		result = sd_event_add_time(event, &forwarder->trim, CLOCK_MONOTONIC, 0, 0, trim, forwarder);
	if (result >= 0)
		result = sd_event_source_set_enabled(forwarder->trim, SD_EVENT_OFF);
	/* Last: from here on the descriptors are the forwarder's. */
	if (result >= 0)
		result = listener_new(event, listen, port, fds, forwarder->pool, &listener_events,
			forwarder, &forwarder->listener);
	if (result < 0) {
		forwarder_free(forwarder);
		return result;
	}
	*ret = forwarder;
	return 0;
}

static const char *why_refused(const struct server *server)
{
	if (server->transport != TRANSPORT_PLAIN && !server->adn)
		return "there is no name to authenticate it by";
	return NULL;
}

#define swap(a, b)                                                                                 \
	do {                                                                                           \
		__typeof__(*(a)) swapped_ = *(a);                                                          \
		*(a) = *(b);                                                                               \
		*(b) = swapped_;                                                                           \
	} while (0)

static bool same_ca(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* What set_upstream prepares before it changes anything. */
struct preparation {
	struct address *virtual_ips;
	char *ca_certificates;
	struct tls_context *tls;
	struct known_hosts hosts;
};

static void preparation_clear(struct preparation *preparation)
{
	free(preparation->virtual_ips);
	free(preparation->ca_certificates);
	tls_context_free(preparation->tls);
	list_free(preparation->hosts.names);
}

static int prepare(const struct upstream *upstream, struct preparation *preparation)
{
	bool need_tls = false;

	for (size_t i = 0; i < upstream->n_servers; i++)
		need_tls = need_tls || upstream->servers[i].transport != TRANSPORT_PLAIN;
	preparation->virtual_ips = calloc(upstream->n_virtual_ips + 1, sizeof(struct address));
	if (!preparation->virtual_ips)
		return -ENOMEM;
	for (size_t i = 0; i < upstream->n_virtual_ips; i++)
		preparation->virtual_ips[i] = upstream->virtual_ips[i];
	if (upstream->ca_certificates) {
		preparation->ca_certificates = strdup(upstream->ca_certificates);
		if (!preparation->ca_certificates)
			return -ENOMEM;
	}
	preparation->hosts.address = upstream->hosts.address;
	if (list_copy(upstream->hosts.names, &preparation->hosts.names) < 0)
		return -ENOMEM;
	return need_tls ? tls_context_new(upstream->ca_certificates, &preparation->tls) : 0;
}

int forwarder_set_upstream(struct forwarder *forwarder, const struct upstream *upstream)
{
	cleanup(preparation_clear) struct preparation next = {0};
	const char *refused[LIMIT_SERVERS];
	bool keep = addresses_equal(forwarder->virtual_ips, forwarder->n_virtual_ips,
					upstream->virtual_ips, upstream->n_virtual_ips) &&
				same_ca(forwarder->ca_certificates, upstream->ca_certificates);
	bool encrypted = false;
	int result = prepare(upstream, &next);

	if (result < 0)
		return result;
	for (size_t i = 0; i < upstream->n_servers && i < LIMIT_SERVERS; i++) {
		refused[i] = why_refused(&upstream->servers[i]);
		encrypted = encrypted || upstream->servers[i].transport != TRANSPORT_PLAIN;
	}
	result = chooser_set_servers(
		forwarder->chooser, upstream->servers, upstream->n_servers, refused, keep);
	if (result < 0)
		return result;
	swap(&forwarder->hosts, &next.hosts);
	listener_set_padding(forwarder->listener, encrypted);
	/* What connections that were kept use stays; otherwise nothing uses the old ones any more. */
	if (!keep) {
		swap(&forwarder->virtual_ips, &next.virtual_ips);
		swap(&forwarder->ca_certificates, &next.ca_certificates);
		forwarder->n_virtual_ips = upstream->n_virtual_ips;
	}
	if (!keep || !forwarder->tls)
		swap(&forwarder->tls, &next.tls);
	chooser_warm_up(forwarder->chooser);
	listener_flush(forwarder->listener);
	arm(forwarder);
	return 0;
}

uint16_t forwarder_port(const struct forwarder *forwarder)
{
	return listener_port(forwarder->listener);
}

const int *forwarder_fds(const struct forwarder *forwarder)
{
	return listener_fds(forwarder->listener);
}

size_t forwarder_n_servers(const struct forwarder *forwarder)
{
	return chooser_n_servers(forwarder->chooser);
}

struct server_status forwarder_server_status(const struct forwarder *forwarder, size_t index)
{
	return chooser_status(forwarder->chooser, index);
}

struct forwarder_counters forwarder_counters(const struct forwarder *forwarder)
{
	struct listener_counters counters = listener_counters(forwarder->listener);

	return (struct forwarder_counters){
		.queries = counters.queries,
		.answers = counters.answers,
		.servfails = counters.servfails,
		.dropped = counters.dropped,
		.in_flight = query_pool_used(forwarder->pool),
	};
}
