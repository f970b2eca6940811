/*
 * What a restarted encdnsd must know of a connection to fail closed at once, before charon tells it
 * more: one JSON file per connection, named after its link ("encdns0.json"). A link's name is ours;
 * a connection's name comes from a configuration file, and nothing from the peer is in a file's
 * name.
 *
 * And one file with all that stay blocked over a reboot (on-disconnect = block). It knows of no
 * links: they are the plugin's to make again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "server.h"

struct saved_connection {
	char *connection;
	char *link; /* NULL: it has none, and ifindex and port say nothing */
	int ifindex;
	uint16_t port;
	char **domains;
	char **anchors;  /* lines of the trust anchors' file */
	char **insecure; /* domains that are not validated, see plan.h */
	bool full;
	int family_outside;
	char *gateway; /* may be NULL */
	struct known_hosts gateway_hosts;
	char *organization; /* may be NULL */
	char *why;          /* it is blocked; NULL: it was up */
	bool block;         /* when it ends in good order */
	bool held; /* blocked although it was up; does not survive a reboot, as that is its end */
};

/* "encdns" and digits. */
bool state_file_is_link(const char *name);

/* 0 or -errno. */
int state_file_save(const char *folder, const struct saved_connection *saved);
int state_file_remove(const char *folder, const char *link); /* none there: 0 */

/*
 * All in the folder; what cannot be used is left out. *ret_n entries; each is to be cleared, and
 * the array freed. 0 or -errno.
 */
int state_file_load(const char *folder, struct saved_connection **ret, size_t *ret_n);

/* The same for the file of blocks; none at all removes it, and none there is none. */
int blocks_file_save(const char *path, const struct saved_connection *list, size_t n);
int blocks_file_load(const char *path, struct saved_connection **ret, size_t *ret_n);

void saved_connection_clear(struct saved_connection *saved);
