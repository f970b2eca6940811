/*
 * One connection: what is wanted of it (the last Apply, made a plan), and what is there: its
 * forwarder, and its link's settings in resolved.
 *
 *	up       what the plan says is in force, or on the way there
 *	         (held: by the user's wish it has no servers, as if it were blocked)
 *	blocked  lost, or down with on-disconnect = block: the forwarder has no servers and answers
 *	         SERVFAIL, the link keeps its domains, so internal names fail instead of leaking
 *	leaving  resolved is told to forget, then the forwarder goes
 *	gone     nothing is left but the object
 *
 * The link is the plugin's to make, and its guard, which has no other use than that nothing leaks while
 * the link is gone. One that is deleted by others, or that a reboot took, is wanted again as long as
 * the connection is up or blocked.
 *
 * Order on the way up: forwarder, resolved; on the way down: resolved, caches, forwarder.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include "dns_pair.h"
#include "fdstore.h"
#include "forwarder.h"
#include "plan.h"
#include "state_file.h"

struct connection;

enum connection_phase {
	CONNECTION_UP,
	CONNECTION_BLOCKED,
	CONNECTION_LEAVING,
	CONNECTION_GONE,
};

typedef void (*connection_changed_t)(struct connection *connection, void *userdata);

struct surroundings {
	sd_bus *bus;
	const char *folder; /* of state files; NULL: none are kept */
	connection_changed_t changed;
	void *userdata;
};

/* surroundings: copied, what it points to outlives the connection. 0 or -errno. */
int connection_new(
	const struct surroundings *surroundings, const char *name, struct connection **ret);

/* Blocked, as a state file says; without a link it wants one. sockets: its listeners, taken where
 * they fit, or NULL. */
int connection_restore(const struct surroundings *surroundings,
	const struct saved_connection *saved, struct stored_sockets *sockets, struct connection **ret);

/*
 * claims: what other connections hold. Takes what *request owns on success. 0 or -errno; then what
 * was in force stays.
 */
int connection_apply(
	struct connection *connection, struct request *request, const struct claims *claims);

/* Takes domains that it waited for and that are free now, if there are any. */
void connection_claim_again(struct connection *connection, const struct claims *claims);

/* Blocked domains get another link. 0 or -errno. */
int connection_adopt(struct connection *connection, const char *link, int ifindex);

/* Its link is not there any more, or is another's. */
void connection_link_gone(struct connection *connection);
void connection_link_taken(struct connection *connection);
bool connection_wants_link(const struct connection *connection); /* or a guard that it had */

/* Its guard has come, or is another one; 0: is gone. 0 or -errno. */
int connection_set_guard(struct connection *connection, int ifindex);

/* What a file must say of it; all of it borrowed. */
struct saved_connection connection_saved(const struct connection *connection);

/* True: it is blocked, its link must stay. False: there was nothing to block, and it is leaving. */
bool connection_block(struct connection *connection, const char *why);

/*
 * The user's own block: its names fail although it is up, and go on failing when it ends; it lasts
 * until the connection is up anew, or resumed. One that is blocked already outlives a reboot by it.
 * 0, -ENODATA: it has no domains, or is leaving; or -errno.
 */
int connection_hold(struct connection *connection);
bool connection_held(const struct connection *connection); /* and it is up */
int connection_resume(struct connection *connection);      /* 0 or -errno */

/* On to CONNECTION_GONE, of which changed tells. */
void connection_leave(struct connection *connection);

/* Lines of the trust anchors' file that it needs (anchors.h); NULL: none. */
char *const *connection_anchors(const struct connection *connection);

/* Whether resolved has them. As long as not, no resolver is asked: nothing would be validated. */
void connection_set_anchored(struct connection *connection, bool anchored);
bool connection_anchored(const struct connection *connection);

void connection_check(struct connection *connection);         /* resolved may have changed */
void connection_resolved_lost(struct connection *connection); /* it left the bus */
void connection_resolved_found(struct connection *connection);

const char *connection_name(const struct connection *connection);
const char *connection_link(const struct connection *connection); /* NULL before the first Apply */
int connection_ifindex(const struct connection *connection);      /* 0: there is no link */
int connection_guard(const struct connection *connection);        /* the same of its guard */
bool connection_blocks(const struct connection *connection);      /* when it ends in good order */
enum connection_phase connection_phase(const struct connection *connection);
const struct request *connection_request(const struct connection *connection);
const struct plan *connection_plan(const struct connection *connection);
const struct forwarder *connection_forwarder(const struct connection *connection); /* or NULL */
const struct dns_pair *connection_dns(const struct connection *connection);        /* or NULL */

/* Why the plan's resolvers cannot be used at all; NULL: they can. */
const char *connection_fault(const struct connection *connection);

/* Of one that is blocked, or held. */
const char *connection_why_blocked(const struct connection *connection);

/* Domains that resolved sends us for it; NULL: none. */
char *const *connection_domains(const struct connection *connection);

/* What it holds against others: until resolved has forgotten them, also when it is leaving. */
struct claim connection_claim(const struct connection *connection);

/* The forwarder's status of a resolver of the plan; false: it has none. */
bool connection_server_status(
	const struct connection *connection, size_t index, struct server_status *ret);

struct connection *connection_free(struct connection *connection); /* takes NULL, returns NULL */
