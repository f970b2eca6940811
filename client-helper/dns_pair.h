/*
 * The settings of a connection's link in systemd-resolved, and the same on its guard, a second link of
 * the same kind: resolved forgets what it was told of a link with the link, and when somebody deletes
 * the one, it still knows by the other where the names go. resolved asks on both, the forwarder asks
 * once (inflight.h).
 *
 * Either may come and go at any time; each is what dns_link.h makes of it.
 */
#pragma once

#include "dns_link.h"

struct dns_pair;

enum dns_pair_end {
	DNS_PAIR_LINK,
	DNS_PAIR_GUARD,
};

typedef void (*dns_pair_changed_t)(void *userdata);

/* Neither is there yet. 0 or -ENOMEM. */
int dns_pair_new(sd_bus *bus, dns_pair_changed_t changed, void *userdata, struct dns_pair **ret);

/* Nothing is called before dns_pair_set(). 0 or -ENOMEM. */
int dns_pair_add(struct dns_pair *pair, enum dns_pair_end end, int ifindex);

/* It is not there any more; nothing is called. */
void dns_pair_drop(struct dns_pair *pair, enum dns_pair_end end);
bool dns_pair_has(const struct dns_pair *pair, enum dns_pair_end end); /* false for NULL */

/* On those that are there, as dns_link.h says; all but dns_pair_set() take NULL. */
int dns_pair_set(struct dns_pair *pair, const struct dns_link_settings *settings);
void dns_pair_revert(struct dns_pair *pair); /* DNS_LINK_REVERTED when all are */
void dns_pair_check(struct dns_pair *pair);
void dns_pair_lost(struct dns_pair *pair);
void dns_pair_found(struct dns_pair *pair);

/* The link's, where there is none the guard's. Not for a pair that has neither. */
enum dns_link_state dns_pair_state(const struct dns_pair *pair);
const char *dns_pair_reason(const struct dns_pair *pair);

/* Makes resolved forget what is there, and waits for nothing. Takes NULL, returns NULL. */
struct dns_pair *dns_pair_abandon(struct dns_pair *pair);

struct dns_pair *dns_pair_free(struct dns_pair *pair); /* takes NULL, returns NULL; calls nothing */
