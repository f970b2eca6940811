/*
 * The links encdns0, encdns1, ... that a connection's DNS hangs on in systemd-resolved: a dummy, where
 * the kernel has none a veth pair. They outlive charon, so that a crash fails closed; the link's alias
 * is the connection's name, by which the next charon finds it.
 *
 * Each has a guard, encdns0g, of the same kind and alias: resolved forgets what it was told of a link
 * with the link, and while somebody has deleted the one, names still go the right way by the other.
 *
 * Each call talks to the kernel over a socket of its own and waits for the answer: none of it belongs on
 * an IKE thread.
 */
#ifndef ENCDNS_LINK_H_
#define ENCDNS_LINK_H_

#include "compat.h"
#include "encdns_bounds.h"

#include <net/if.h>

typedef struct encdns_link_t encdns_link_t;

struct encdns_link_t {
	char name[IF_NAMESIZE];
	int index;
	/** name of the connection, empty if the link has no alias */
	char connection[ENCDNS_ALIAS_MAX + 1];
};

/**
 * List our links, those that only the guard is left of as well (their index is its).
 *
 * @param ret_links		list of encdns_link_t*, to be destroyed with free()
 * @return				0 or a negative errno
 */
int encdns_link_list(linked_list_t **ret_links);

/**
 * Get a connection's link, up and with its address. One that is there is adopted.
 *
 * @param connection	name of the connection
 * @param ret_link		the link
 * @return				0 or a negative errno
 */
int encdns_link_ensure(const char *connection, encdns_link_t *ret_link);

/**
 * Get the guard of a connection's link, up and with its address. One that is there is adopted.
 *
 * @return				0, -EEXIST if another connection's has its name, or another negative errno
 */
int encdns_link_guard(const encdns_link_t *link);

/**
 * Remove a link and its guard, as far as they are there and the connection's.
 *
 * @return				0, -ENODEV if neither is, or another negative errno
 */
int encdns_link_remove(const char *name, const char *connection);

#endif /** ENCDNS_LINK_H_ */
