#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "anchors.h"
#include "bounds.h"
#include "log.h"
#include "resolved.h"
#include "util.h"

#define UNSURE "it was up before encdnsd was started anew"

struct connection {
	struct surroundings around;
	char *name;
	uint32_t seed;
	enum connection_phase phase;
	char *why; /* it is blocked; NULL for one that may be up still, see connection_restore */
	bool held; /* blocked although it is up */
	struct request request;
	struct plan plan;
	char **anchors; /* of the plan, as lines of the file */
	bool anchored;  /* resolved has them */
	char *fault;    /* why the plan's resolvers cannot be used at all; NULL: they can */
	char *link;
	int ifindex; /* 0: it is gone */
	int guard;   /* 0: there is none, or none of use */
	bool guard_lost;
	struct forwarder *forwarder; /* there when dns is */
	struct dns_pair *dns;        /* NULL: resolved has neither link nor guard */
};

static void changed(struct connection *connection)
{
	connection->around.changed(connection, connection->around.userdata);
}

static void on_forwarder(struct forwarder *forwarder, void *userdata)
{
	changed(userdata);
}

/* What is kept under the link's name for a restart. */
static void unsave(const struct connection *connection)
{
	if (!connection->link)
		return;
	fdstore_remove(connection->link);
	if (connection->around.folder)
		state_file_remove(connection->around.folder, connection->link);
}

static void drop_forwarder(struct connection *connection)
{
	if (!connection->forwarder)
		return;
	connection->forwarder = forwarder_free(connection->forwarder);
	unsave(connection);
}

static void on_dns(void *userdata)
{
	struct connection *connection = userdata;

	if (connection->phase == CONNECTION_LEAVING &&
		dns_pair_state(connection->dns) == DNS_LINK_REVERTED) {
		drop_forwarder(connection);
		connection->phase = CONNECTION_GONE;
	}
	changed(connection);
}

struct saved_connection connection_saved(const struct connection *connection)
{
	return (struct saved_connection){
		.connection = connection->name,
		.link = connection->link,
		.ifindex = connection->ifindex,
		.port = connection->forwarder ? forwarder_port(connection->forwarder) : 0,
		.domains = connection->plan.domains,
		.anchors = connection->anchors,
		.insecure = connection->plan.insecure,
		.full = connection->plan.full,
		.family_outside = connection->plan.family_outside,
		.gateway = connection->request.gateway,
		.gateway_hosts = connection->request.gateway_hosts,
		.organization = connection->request.policy.organization,
		.why = connection->why,
		.held = connection->held,
		.block = connection_blocks(connection),
	};
}

static void save(const struct connection *connection)
{
	struct saved_connection saved = connection_saved(connection);
	int r;

	if (!connection->around.folder || !connection->forwarder || !connection->link)
		return;
	r = state_file_save(connection->around.folder, &saved);
	if (r < 0)
		log_line(SD_WARNING, "%s: the state cannot be saved: %s", connection->name, strerror(-r));
}

/*
 * Every name fails, but for the gateway's own: without it the connection could never come back
 * where that name is below one of its domains.
 */
static int ask_nobody(struct connection *connection)
{
	struct upstream nobody = {.hosts = connection->request.gateway_hosts};

	return forwarder_set_upstream(connection->forwarder, &nobody);
}

/* fds are taken where they fit; a port that is gone is replaced by a free one. */
static int start_forwarder(struct connection *connection, uint16_t port, const int *fds)
{
	sd_event *event = sd_bus_get_event(connection->around.bus);
	struct address loopback = {.family = AF_INET};
	int r;

	loopback.in.s_addr = htonl(INADDR_LOOPBACK);
	r = forwarder_new(
		event, &loopback, port, fds, on_forwarder, connection, &connection->forwarder);
	if (r < 0 && (port != 0 || fds))
		r = forwarder_new(
			event, &loopback, 0, NULL, on_forwarder, connection, &connection->forwarder);
	if (r < 0)
		return r;
	fdstore_remove(connection->link);
	fdstore_put(connection->link, forwarder_fds(connection->forwarder));
	return ask_nobody(connection);
}

/*
 * Resolvers that cannot be taken, for want of a readable ca-certificates, say, leave the domains
 * without any: they are routed here all the same, and fail closed.
 */
static int set_upstream(
	struct connection *connection, const struct request *request, const struct plan *plan)
{
	struct upstream upstream = {
		.virtual_ips = request->virtual_ips,
		.n_virtual_ips = request->n_virtual_ips,
		.ca_certificates = request->policy.ca_certificates,
		.hosts = request->gateway_hosts,
	};
	cleanup_free struct server *servers = NULL;
	const char *file = upstream.ca_certificates;
	int r;

	servers = calloc(plan->resolvers.n + 1, sizeof(*servers));
	if (!servers)
		return -ENOMEM;
	for (size_t i = 0; i < plan->resolvers.n && upstream.n_servers < LIMIT_SERVERS; i++)
		if (connection->anchored && !connection->held && !plan->resolvers.list[i].unusable)
			servers[upstream.n_servers++] = plan->resolvers.list[i].server;
	upstream.servers = servers;
	free(connection->fault);
	connection->fault = NULL;
	r = forwarder_set_upstream(connection->forwarder, &upstream);
	if (r >= 0)
		return 0;
	set_text(&connection->fault, "%s%s: %s", file ? "ca-certificates " : "the trust store",
		file ? file : "", strerror(-r));
	return ask_nobody(connection);
}

static void flush_caches(const struct connection *connection)
{
	resolved_flush_caches(connection->around.bus, NULL, NULL, NULL);
}

/* The guard goes with the link's name, and is found anew. */
static void abandon_links(struct connection *connection)
{
	connection->dns = dns_pair_abandon(connection->dns);
	connection->guard = 0;
	connection->guard_lost = false;
}

/* The link is gone, or the guard; of the other nothing is said. */
static void drop_end(struct connection *connection, enum dns_pair_end end)
{
	if (!connection->dns)
		return;
	dns_pair_drop(connection->dns, end);
	if (!dns_pair_has(connection->dns, DNS_PAIR_LINK) &&
		!dns_pair_has(connection->dns, DNS_PAIR_GUARD))
		connection->dns = dns_pair_free(connection->dns);
}

/* The link is another one than before: the old one's settings are taken back, if it is still there.
 */
static int move_to_link(struct connection *connection, const char *link, int ifindex)
{
	char *copy;

	if (connection->link && strcmp(connection->link, link) == 0 && connection->ifindex == ifindex)
		return 0;
	copy = strdup(link);
	if (!copy)
		return -ENOMEM;
	/* Under the same name it was made anew, before we saw that it was gone; its guard stays. */
	if (connection->link && strcmp(connection->link, link) == 0)
		drop_end(connection, DNS_PAIR_LINK);
	else
		abandon_links(connection);
	unsave(connection);
	free(connection->link);
	connection->link = copy;
	connection->ifindex = ifindex;
	if (connection->forwarder)
		fdstore_put(connection->link, forwarder_fds(connection->forwarder));
	return 0;
}

/* Validated where the connection has anchors, in force or not yet. */
static int point_resolved_here(struct connection *connection, const struct plan *plan)
{
	struct dns_link_settings settings = {
		.port = forwarder_port(connection->forwarder),
		.domains = plan->domains,
		.validate = connection->anchors != NULL,
		.insecure = plan->insecure,
	};
	int r = 0;

	if (!connection->dns)
		r = dns_pair_new(connection->around.bus, on_dns, connection, &connection->dns);
	if (r >= 0 && !dns_pair_has(connection->dns, DNS_PAIR_LINK) && connection->ifindex > 0)
		r = dns_pair_add(connection->dns, DNS_PAIR_LINK, connection->ifindex);
	if (r >= 0 && !dns_pair_has(connection->dns, DNS_PAIR_GUARD) && connection->guard > 0)
		r = dns_pair_add(connection->dns, DNS_PAIR_GUARD, connection->guard);
	return r < 0 ? r : dns_pair_set(connection->dns, &settings);
}

/* Forwarder first: what resolved sends is answered from the first query on. */
static int bring_up(
	struct connection *connection, const struct request *request, const struct plan *plan)
{
	int r = 0;

	if (!connection->forwarder)
		r = start_forwarder(connection, 0, NULL);
	if (r >= 0)
		r = set_upstream(connection, request, plan);
	if (r >= 0)
		r = point_resolved_here(connection, plan);
	return r;
}

/* The lines of the plan's anchors. Those that are in force already stay so. */
static int take_anchors(struct connection *connection, const struct plan *plan)
{
	cleanup_list char **lines = NULL;
	int r = 0;

	for (size_t i = 0; i < plan->n_anchors && r >= 0; i++) {
		cleanup_free char *line = NULL;

		r = anchors_line(plan->anchors[i].domain, &plan->anchors[i].anchor, &line);
		if (r >= 0)
			r = list_add(&lines, line);
	}
	if (r < 0)
		return r;
	if (!lines)
		connection->anchored = true;
	else if (!list_equal(lines, connection->anchors))
		connection->anchored = false;
	list_free(connection->anchors);
	connection->anchors = steal(lines);
	return 0;
}

/* I28: the user hears of it once. */
static void warn_of_waiting(const struct connection *connection, const struct plan *plan)
{
	for (size_t i = 0; plan->waiting && plan->waiting[i]; i++)
		if (!list_has(connection->plan.waiting, plan->waiting[i]))
			log_line(SD_WARNING,
				"%s: %s is not taken, another connection holds it, or one above or below it",
				connection->name, plan->waiting[i]);
}

/* Takes what *plan owns, on failure too. 0 or -errno; then what was in force stays. */
static int put_in_force(
	struct connection *connection, const struct request *request, struct plan *plan)
{
	int r;

	r = move_to_link(connection, request->link, request->ifindex);
	if (r >= 0)
		r = take_anchors(connection, plan);
	if (r >= 0 && plan->domains)
		r = bring_up(connection, request, plan);
	if (r < 0) {
		(void)!take_anchors(connection, &connection->plan);
		plan_clear(plan);
		return r;
	}
	if (!plan->domains && connection->forwarder) {
		if (connection->dns) {
			abandon_links(connection);
			flush_caches(connection);
		}
		drop_forwarder(connection);
	}
	warn_of_waiting(connection, plan);
	plan_clear(&connection->plan);
	connection->plan = *plan;
	return 0;
}

int connection_apply(
	struct connection *connection, struct request *request, const struct claims *claims)
{
	bool was_blocked = connection->phase == CONNECTION_BLOCKED;
	struct plan plan;
	int r;

	r = plan_make(request, claims, connection->seed, &plan);
	if (r >= 0)
		r = put_in_force(connection, request, &plan);
	if (r < 0)
		return r;
	request_clear(&connection->request);
	connection->request = *request;
	memset(request, 0, sizeof(*request));
	connection->phase = CONNECTION_UP;
	if (!connection->held) {
		free(connection->why);
		connection->why = NULL;
	}
	save(connection);
	/* resolved keeps a SERVFAIL for seconds. */
	if (was_blocked && connection->dns)
		flush_caches(connection);
	changed(connection);
	return 0;
}

void connection_claim_again(struct connection *connection, const struct claims *claims)
{
	const char *organization = connection->request.policy.organization;
	char *const *waiting = connection->plan.waiting;
	bool free_now = false;
	struct plan plan;
	int r;

	for (size_t i = 0; waiting && waiting[i]; i++)
		free_now = free_now || !claims_against(claims, organization, waiting[i]);
	if (!free_now || connection->phase != CONNECTION_UP || connection_wants_link(connection))
		return;
	r = plan_make(&connection->request, claims, connection->seed, &plan);
	if (r >= 0)
		r = put_in_force(connection, &connection->request, &plan);
	if (r < 0) {
		log_line(SD_WARNING, "%s: the domains that are free now cannot be taken: %s",
			connection->name, strerror(-r));
		return;
	}
	/* resolved may have kept what others said of them. */
	flush_caches(connection);
	save(connection);
	changed(connection);
}

int connection_adopt(struct connection *connection, const char *link, int ifindex)
{
	int r;

	r = move_to_link(connection, link, ifindex);
	if (r >= 0 && !connection->forwarder)
		r = start_forwarder(connection, 0, NULL);
	if (r >= 0)
		r = point_resolved_here(connection, &connection->plan);
	if (r < 0)
		return r;
	save(connection);
	changed(connection);
	return 0;
}

void connection_link_gone(struct connection *connection)
{
	drop_end(connection, DNS_PAIR_LINK);
	connection->ifindex = 0;
	changed(connection);
}

int connection_set_guard(struct connection *connection, int ifindex)
{
	int r;

	if (ifindex == connection->guard || connection->phase > CONNECTION_BLOCKED ||
		!connection->plan.domains || !connection->forwarder)
		return 0;
	drop_end(connection, DNS_PAIR_GUARD);
	connection->guard = ifindex;
	connection->guard_lost = ifindex == 0;
	r = ifindex > 0 ? point_resolved_here(connection, &connection->plan) : 0;
	changed(connection);
	return r;
}

void connection_link_taken(struct connection *connection)
{
	unsave(connection);
	abandon_links(connection);
	free(connection->link);
	connection->link = NULL;
}

bool connection_wants_link(const struct connection *connection)
{
	return connection->phase <= CONNECTION_BLOCKED && connection->plan.domains &&
		   (!dns_pair_has(connection->dns, DNS_PAIR_LINK) || connection->guard_lost);
}

bool connection_block(struct connection *connection, const char *why)
{
	if (!connection->forwarder || connection->phase == CONNECTION_LEAVING) {
		connection_leave(connection);
		return false;
	}
	ask_nobody(connection);
	connection->phase = CONNECTION_BLOCKED;
	if (connection->held)
		connection->request.policy.block_on_disconnect = true;
	else
		set_text(&connection->why, "%s", why);
	connection->held = false;
	save(connection);
	flush_caches(connection);
	changed(connection);
	return true;
}

int connection_hold(struct connection *connection)
{
	int r = 0;

	if (!connection->plan.domains || connection->phase > CONNECTION_BLOCKED)
		return -ENODATA;
	if (connection->forwarder)
		r = ask_nobody(connection);
	if (r < 0)
		return r;
	if (connection->phase == CONNECTION_BLOCKED && connection->why) {
		connection->request.policy.block_on_disconnect = true;
	} else {
		connection->held = true;
		set_text(&connection->why, "encdnsctl block asked for it");
	}
	save(connection);
	flush_caches(connection);
	changed(connection);
	return 0;
}

int connection_resume(struct connection *connection)
{
	int r = 0;

	connection->held = false;
	free(connection->why);
	connection->why = NULL;
	if (connection->forwarder)
		r = set_upstream(connection, &connection->request, &connection->plan);
	save(connection);
	flush_caches(connection);
	changed(connection);
	return r;
}

void connection_leave(struct connection *connection)
{
	if (connection->phase == CONNECTION_LEAVING || connection->phase == CONNECTION_GONE)
		return;
	if (connection->dns) {
		connection->phase = CONNECTION_LEAVING;
		dns_pair_revert(connection->dns);
	} else {
		drop_forwarder(connection);
		connection->phase = CONNECTION_GONE;
		changed(connection);
	}
}

char *const *connection_anchors(const struct connection *connection)
{
	return connection->phase == CONNECTION_GONE ? NULL : connection->anchors;
}

void connection_set_anchored(struct connection *connection, bool anchored)
{
	int r;

	if (connection->anchored == anchored)
		return;
	connection->anchored = anchored;
	if (connection->phase != CONNECTION_UP || !connection->forwarder)
		return;
	r = set_upstream(connection, &connection->request, &connection->plan);
	if (r < 0)
		log_line(SD_WARNING, "%s: %s", connection->name, strerror(-r));
	/* resolved keeps a SERVFAIL for seconds. */
	flush_caches(connection);
	changed(connection);
}

bool connection_anchored(const struct connection *connection)
{
	return connection->anchored;
}

void connection_check(struct connection *connection)
{
	dns_pair_check(connection->dns);
}

void connection_resolved_lost(struct connection *connection)
{
	dns_pair_lost(connection->dns);
}

void connection_resolved_found(struct connection *connection)
{
	dns_pair_found(connection->dns);
}

bool connection_blocks(const struct connection *connection)
{
	return connection->held || connection->request.policy.block_on_disconnect;
}

bool connection_held(const struct connection *connection)
{
	return connection->held && connection->phase == CONNECTION_UP;
}

const char *connection_name(const struct connection *connection)
{
	return connection->name;
}

const char *connection_link(const struct connection *connection)
{
	return connection->link;
}

int connection_ifindex(const struct connection *connection)
{
	return connection->ifindex;
}

int connection_guard(const struct connection *connection)
{
	return connection->guard;
}

enum connection_phase connection_phase(const struct connection *connection)
{
	return connection->phase;
}

const struct request *connection_request(const struct connection *connection)
{
	return &connection->request;
}

const struct plan *connection_plan(const struct connection *connection)
{
	return &connection->plan;
}

const struct dns_pair *connection_dns(const struct connection *connection)
{
	return connection->dns;
}

const char *connection_fault(const struct connection *connection)
{
	return connection->fault;
}

const char *connection_why_blocked(const struct connection *connection)
{
	return connection->why ? connection->why : UNSURE;
}

const struct forwarder *connection_forwarder(const struct connection *connection)
{
	return connection->forwarder;
}

char *const *connection_domains(const struct connection *connection)
{
	return connection->dns && connection->phase <= CONNECTION_BLOCKED ? connection->plan.domains
																	  : NULL;
}

struct claim connection_claim(const struct connection *connection)
{
	return (struct claim){
		.connection = connection->name,
		.organization = connection->request.policy.organization,
		.domains = connection->dns ? connection->plan.domains : NULL,
	};
}

bool connection_server_status(
	const struct connection *connection, size_t index, struct server_status *ret)
{
	const struct resolver *resolver = &connection->plan.resolvers.list[index];
	size_t n = connection->forwarder ? forwarder_n_servers(connection->forwarder) : 0;

	if (resolver->unusable)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct server_status status = forwarder_server_status(connection->forwarder, i);

		if (server_equal(status.server, &resolver->server)) {
			*ret = status;
			return true;
		}
	}
	return false;
}

struct connection *connection_free(struct connection *connection)
{
	if (!connection)
		return NULL;
	dns_pair_free(connection->dns);
	forwarder_free(connection->forwarder);
	request_clear(&connection->request);
	plan_clear(&connection->plan);
	list_free(connection->anchors);
	free(connection->link);
	free(connection->why);
	free(connection->fault);
	free(connection->name);
	free(connection);
	return NULL;
}

int connection_new(
	const struct surroundings *surroundings, const char *name, struct connection **ret)
{
	struct connection *connection;

	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return -ENOMEM;
	connection->around = *surroundings;
	connection->name = strdup(name);
	if (!connection->name) {
		free(connection);
		return -ENOMEM;
	}
	/* Where the kernel has no randomness yet, zero shuffles as well as any other seed. */
	(void)!getrandom(&connection->seed, sizeof(connection->seed), GRND_NONBLOCK);
	*ret = connection;
	return 0;
}

static int restore(struct connection *connection, const struct saved_connection *saved,
	struct stored_sockets *sockets)
{
	bool stored = sockets && sockets->fds[0] >= 0 && sockets->fds[1] >= 0;
	/* After a reboot it is not up, whatever it was. */
	const char *why = saved->why || saved->link ? saved->why : UNSURE;
	int r;

	connection->phase = CONNECTION_BLOCKED;
	connection->plan.full = saved->full;
	connection->plan.family_outside = saved->family_outside;
	connection->held = saved->held;
	connection->request.policy.block_on_disconnect = saved->block && !saved->held;
	r = copy_text(&connection->why, why);
	if (r >= 0)
		r = copy_text(&connection->request.policy.organization, saved->organization);
	if (r >= 0)
		r = copy_text(&connection->request.gateway, saved->gateway);
	if (r >= 0)
		r = copy_text(&connection->link, saved->link);
	connection->request.gateway_hosts.address = saved->gateway_hosts.address;
	if (r >= 0)
		r = list_copy(saved->gateway_hosts.names, &connection->request.gateway_hosts.names);
	if (r >= 0)
		r = list_copy(saved->domains, &connection->plan.domains);
	if (r < 0 || !saved->link)
		return r;
	connection->ifindex = saved->ifindex;
	r = list_copy(saved->anchors, &connection->anchors);
	if (r >= 0)
		r = list_copy(saved->insecure, &connection->plan.insecure);
	if (r < 0)
		return r;
	r = start_forwarder(connection, saved->port, stored ? sockets->fds : NULL);
	if (r >= 0 && stored && forwarder_fds(connection->forwarder)[0] == sockets->fds[0])
		sockets->fds[0] = sockets->fds[1] = -1;
	if (r >= 0)
		r = point_resolved_here(connection, &connection->plan);
	return r;
}

int connection_restore(const struct surroundings *surroundings,
	const struct saved_connection *saved, struct stored_sockets *sockets, struct connection **ret)
{
	struct connection *connection;
	int r;

	r = connection_new(surroundings, saved->connection, &connection);
	if (r < 0)
		return r;
	r = restore(connection, saved, sockets);
	if (r < 0) {
		connection_free(connection);
		return r;
	}
	save(connection);
	*ret = connection;
	return 0;
}
