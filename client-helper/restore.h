/*
 * What an earlier run left behind: the connections of an encdnsd that was restarted, with their
 * listeners' sockets, and the blocks that outlive a reboot. Both are to be read once, at the start,
 * in this order: what a restart left knows more.
 */
#pragma once

#include "fdstore.h"
#include "state_file.h"

/* saved: borrowed. sockets: its listeners', to be taken by setting them to -1, or NULL. */
typedef void (*restore_each_t)(
	const struct saved_connection *saved, struct stored_sockets *sockets, void *userdata);

/* folder: of the state files. Closes the sockets that nobody takes. 0 or -errno. */
int restore_running(const char *folder, restore_each_t each, void *userdata);

/* A file that cannot be read is logged, and blocks nothing. 0 or -ENOMEM. */
int restore_blocks(const char *path, restore_each_t each, void *userdata);
