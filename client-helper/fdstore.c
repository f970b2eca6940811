#include "fdstore.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include "util.h"

/* 0: UDP, 1: TCP, -1: neither. */
static int kind_of(int fd)
{
	socklen_t length = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return -1;
	return type == SOCK_DGRAM ? 0 : type == SOCK_STREAM ? 1 : -1;
}

static int keep(struct stored_sockets *list, size_t *n, const char *name, int fd)
{
	int kind = kind_of(fd);
	size_t i = 0;

	while (i < *n && strcmp(list[i].name, name) != 0)
		i++;
	if (kind < 0 || (i < *n && list[i].fds[kind] >= 0)) {
		close(fd);
		return 0;
	}
	if (i == *n) {
		list[i].name = strdup(name);
		if (!list[i].name)
			return -ENOMEM;
		list[i].fds[0] = list[i].fds[1] = -1;
		(*n)++;
	}
	list[i].fds[kind] = fd;
	return 0;
}

int fdstore_take(struct stored_sockets **ret, size_t *ret_n)
{
	cleanup_list char **names = NULL;
	struct stored_sockets *list;
	size_t n = 0;
	int r, count;

	count = sd_listen_fds_with_names(1, &names);
	if (count < 0)
		return count;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		r = keep(list, &n, names[i], SD_LISTEN_FDS_START + i);
		if (r < 0) {
			fdstore_free(list, n);
			return r;
		}
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

void fdstore_free(struct stored_sockets *sockets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < 2; j++)
			if (sockets[i].fds[j] >= 0)
				close(sockets[i].fds[j]);
		free(sockets[i].name);
	}
	free(sockets);
}

void fdstore_put(const char *name, const int fds[2])
{
	cleanup_free char *state = NULL;

	if (format(&state, "FDSTORE=1\nFDNAME=%s", name) >= 0)
		sd_pid_notify_with_fds(0, 0, state, fds, 2);
}

void fdstore_remove(const char *name)
{
	cleanup_free char *state = NULL;

	if (format(&state, "FDSTOREREMOVE=1\nFDNAME=%s", name) >= 0)
		sd_notify(0, state);
}
