/*
 * The status as JSON: what Describe returns and encdnsctl --json prints. Members are always there
 * unless marked optional; a value that is not known or does not apply is null.
 *
 *	version          encdnsd's
 *	resolved         fit: systemd-resolved is the system's resolver; problem: why it is not;
 *	                 warning: who bypasses it nevertheless
 *	plugin           null before it has announced itself; version, daemon, config-file,
 *	                 config-errors (strings), stale: the file is newer than what was loaded
 *	warnings         sentences that concern no connection alone
 *	other-links      links that something was taken off (I19): link, ifindex, domains (what their
 *	                 owner gave them, "~" before routing domains), left (what we left them), through
 *	                 ("systemd-resolved", "systemd-networkd"), failure (why it did not work)
 *	connections      one object each:
 *	  name
 *	  state          "in-force"  resolved asks us, and a resolver can be asked
 *	                 "failing"   resolved asks us, but no resolver can be asked: names fail
 *	                 "leaking"   another link is asked for our domains as well
 *	                 "applying"  on the way
 *	                 "waiting"   systemd-resolved does not do what it is told, or is not there
 *	                 "blocked"   the connection was lost, or blocks when it is down: names fail
 *	                 "nothing"   there is nothing to apply
 *	                 "leaving"   on the way down
 *	  in-force       true in the first state only
 *	  reason         a sentence, in all states but "in-force", "applying" and "leaving"
 *	  mode           "split", "full" (I20)
 *	  family-outside "IPv4", "IPv6": full, but this family has no address in the tunnel
 *	  link, ifindex
 *	  listen         "127.0.0.1:40053", where resolved sends the queries
 *	  gateway        the responder's identity
 *	  virtual-ips
 *	  domains        routed to the resolvers; "." is everything
 *	  servers        by priority, one object each:
 *	    adn, addresses, port, priority, dohpath
 *	    transport    "plain", "DoT", "DoH"
 *	    pins         "sha256:HEX"
 *	    state        "idle", "connecting", "connected", "failed", "refused", "unusable"
 *	    in-use       the next query goes to it
 *	    unusable     why it is never used
 *	    authenticated-by  "certificate", "digest"
 *	    tls-version, last-error
 *	    queries, answers, failures, handshake-usec, rtt-median-usec, rtt-p99-usec (optional:
 *counters) refused        what of the reply was not taken: attribute (its name), value, why
 *	  trust-anchors  domain, key-tag, algorithm, digest-type, digest (hex)
 *	  counters       queries, answers, servfails, dropped, in-flight (optional)
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
};

void announcement_clear(struct announcement *announcement);

/* What the status is made of; all of it stays the caller's. */
struct status_input {
	const struct connection **connections;
	size_t n_connections;
	const struct links *links; /* NULL: none */
	const struct fitness *fitness;
	const struct announcement *announcement; /* NULL: none yet */
};

/* counters: with what changes all the time. 0 or -ENOMEM. */
int status_describe(const struct status_input *input, bool counters, char **ret);
