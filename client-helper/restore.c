#include "restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "log.h"

static struct stored_sockets *sockets_of(struct stored_sockets *sockets, size_t n, const char *link)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(sockets[i].name, link) == 0)
			return &sockets[i];
	return NULL;
}

int restore_running(const char *folder, restore_each_t each, void *userdata)
{
	struct saved_connection *saved = NULL;
	struct stored_sockets *sockets = NULL;
	size_t n_saved = 0, n_sockets = 0;
	int r;

	r = fdstore_take(&sockets, &n_sockets);
	if (r >= 0)
		r = state_file_load(folder, &saved, &n_saved);
	for (size_t i = 0; i < n_saved; i++) {
		each(&saved[i], sockets_of(sockets, n_sockets, saved[i].link), userdata);
		saved_connection_clear(&saved[i]);
	}
	free(saved);
	for (size_t i = 0; i < n_sockets; i++)
		if (sockets[i].fds[0] >= 0 || sockets[i].fds[1] >= 0)
			fdstore_remove(sockets[i].name);
	fdstore_free(sockets, n_sockets);
	return r;
}

int restore_blocks(const char *path, restore_each_t each, void *userdata)
{
	struct saved_connection *saved = NULL;
	size_t n = 0;
	int r;

	r = blocks_file_load(path, &saved, &n);
	for (size_t i = 0; i < n; i++) {
		each(&saved[i], NULL, userdata);
		saved_connection_clear(&saved[i]);
	}
	free(saved);
	if (r < 0)
		log_line(SD_ERR, "%s cannot be read, so nothing in it is blocked: %s", path, strerror(-r));
	return r == -ENOMEM ? r : 0;
}
