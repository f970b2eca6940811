#include "connection_state.h"

#include "util.h"

/* No resolver works or may still: *ret_reason is the first one's, or why there is none. */
static int judge_servers(
	const struct connection *connection, enum connection_state *ret, char **ret_reason)
{
	const struct resolvers *resolvers = &connection_plan(connection)->resolvers;
	const char *who = "none of the gateway's resolvers", *why = "can be used";
	struct server_status status;
	bool reason = false;

	if (connection_fault(connection)) {
		*ret = STATE_FAILING;
		return format(ret_reason, "%s", connection_fault(connection));
	}
	*ret = STATE_IN_FORCE;
	for (size_t i = 0; i < resolvers->n; i++) {
		const struct resolver *resolver = &resolvers->list[i];
		const char *fault = resolver->unusable;

		if (!fault && connection_server_status(connection, i, &status)) {
			if (status.state != SERVER_FAILED && status.state != SERVER_REFUSED)
				return 0;
			fault = status.last_error ? status.last_error : "it does not answer";
		}
		if (fault && !reason) {
			reason = true;
			who = resolver->server.adn ? resolver->server.adn : "plain DNS";
			why = fault;
		}
	}
	*ret = STATE_FAILING;
	return format(ret_reason, reason ? "%s: %s" : "%s %s", who, why);
}

/* Nothing brings its names here. */
static int judge_without_link(enum connection_state *ret, char **ret_reason)
{
	*ret = STATE_LEAKING;
	return format(
		ret_reason, "%s", "its link and its guard are gone, and strongSwan has not made others");
}

/* resolved is away for a moment, as we have it restarted, or is not done reading the anchors. */
static bool is_reloading(const struct connection *connection, const struct anchors *anchors)
{
	return anchors && anchors_reloading(anchors) &&
		   (!connection_anchored(connection) ||
			   dns_pair_state(connection_dns(connection)) == DNS_LINK_WAITING);
}

static int judge_up(const struct connection *connection, const struct links *links,
	const struct anchors *anchors, const struct fitness *fitness, enum connection_state *ret,
	char **ret_reason)
{
	const struct plan *plan = connection_plan(connection);
	const struct dns_pair *dns = connection_dns(connection);
	const char *failure;
	int r;

	if (!dns && plan->domains)
		return judge_without_link(ret, ret_reason);
	if (!dns) {
		*ret = STATE_NOTHING;
		return format(ret_reason, "%s", plan->nothing ? plan->nothing : "nothing was asked for");
	}
	if (!fitness->problem && is_reloading(connection, anchors)) {
		*ret = STATE_APPLYING;
		return 0;
	}
	if (fitness->problem || dns_pair_state(dns) == DNS_LINK_WAITING) {
		*ret = STATE_WAITING;
		return format(ret_reason, "%s", fitness->problem ? fitness->problem : dns_pair_reason(dns));
	}
	r = links_leak(links, plan->domains, ret_reason);
	if (r < 0 || *ret_reason) {
		*ret = STATE_LEAKING;
		return r;
	}
	if (dns_pair_state(dns) != DNS_LINK_SET || !links_settled(links)) {
		*ret = STATE_APPLYING;
		return 0;
	}
	if (connection_held(connection)) {
		*ret = STATE_BLOCKED;
		return format(ret_reason, "%s", connection_why_blocked(connection));
	}
	if (!connection_anchored(connection)) {
		failure = anchors ? anchors_failure(anchors) : NULL;
		*ret = failure ? STATE_WAITING : STATE_APPLYING;
		return failure ? format(ret_reason, "%s", failure) : 0;
	}
	return judge_servers(connection, ret, ret_reason);
}

/* It is no block before resolved knows of it. */
static int judge_blocked(
	const struct connection *connection, enum connection_state *ret, char **ret_reason)
{
	const struct dns_pair *dns = connection_dns(connection);

	if (!dns)
		return judge_without_link(ret, ret_reason);
	if (dns_pair_state(dns) == DNS_LINK_WAITING) {
		*ret = STATE_WAITING;
		return format(ret_reason, "%s", dns_pair_reason(dns));
	}
	*ret = dns_pair_state(dns) == DNS_LINK_SET ? STATE_BLOCKED : STATE_APPLYING;
	return format(ret_reason, "%s", connection_why_blocked(connection));
}

int connection_judge(const struct connection *connection, const struct links *links,
	const struct anchors *anchors, const struct fitness *fitness, enum connection_state *ret,
	char **ret_reason)
{
	*ret_reason = NULL;
	switch (connection_phase(connection)) {
	case CONNECTION_UP:
		return judge_up(connection, links, anchors, fitness, ret, ret_reason);
	case CONNECTION_BLOCKED:
		return judge_blocked(connection, ret, ret_reason);
	case CONNECTION_LEAVING:
	case CONNECTION_GONE:
		break;
	}
	*ret = STATE_LEAVING;
	return 0;
}

const char *connection_state_name(enum connection_state state)
{
	static const char *const names[] = {
		[STATE_NOTHING] = "nothing",
		[STATE_BLOCKED] = "blocked",
		[STATE_LEAVING] = "leaving",
		[STATE_WAITING] = "waiting",
		[STATE_LEAKING] = "leaking",
		[STATE_APPLYING] = "applying",
		[STATE_FAILING] = "failing",
		[STATE_IN_FORCE] = "in-force",
	};

	return names[state];
}
