/*
 * The listeners' sockets in systemd's file descriptor store: while encdnsd restarts after a crash,
 * queries wait in them, and nobody else can take the port that resolved asks.
 */
#pragma once

#include <stddef.h>

struct stored_sockets {
	char *name;
	int fds[2]; /* UDP, TCP; -1: not there, or taken */
};

/* Sockets handed over by systemd at the start; to be asked once. None without systemd. 0 or -errno.
 */
int fdstore_take(struct stored_sockets **ret, size_t *ret_n);

void fdstore_free(struct stored_sockets *sockets, size_t n); /* closes what is left */

/* Without systemd these do nothing. */
void fdstore_put(const char *name, const int fds[2]);
void fdstore_remove(const char *name);
