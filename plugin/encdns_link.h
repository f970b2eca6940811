/*
 * The links encdns0, encdns1, ... that a connection's DNS hangs on in systemd-resolved: a dummy, where
 * the kernel has none a veth pair. They outlive charon, so that a crash fails closed; the link's alias
 * is the connection's name, by which the next charon finds it.
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
 * List our links.
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
 * Remove a link, if it is the connection's.
 *
 * @return				0, -ENODEV if there is no such link, or another negative errno
 */
int encdns_link_remove(const char *name, const char *connection);

#endif /** ENCDNS_LINK_H_ */
