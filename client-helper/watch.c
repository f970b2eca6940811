#include "watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include "util.h"

#define RESOLVED_FOLDER "/run/systemd/resolve"
#define POLL_USEC (10 * UINT64_C(1000000))

struct watch {
	watch_changed_t changed;
	void *userdata;
	bool enabled;
	int inotify;
	sd_event_source *files, *links, *clock;
};

/* What it says does not matter, only that something was said. */
static int on_news(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct watch *watch = userdata;
	char buffer[8192] __attribute__((aligned(8)));

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	if (watch->enabled)
		watch->changed(watch->userdata);
	return 0;
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;

	sd_event_source_set_time_relative(source, POLL_USEC);
	watch->changed(watch->userdata);
	return 0;
}

static int add_fd(struct watch *watch, sd_event *event, int fd, sd_event_source **ret)
{
	int r;

	r = sd_event_add_io(event, ret, fd, EPOLLIN, on_news, watch);
	if (r < 0) {
		close(fd);
		return r;
	}
	return sd_event_source_set_io_fd_own(*ret, true);
}

static int open_links(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

void watch_enable(struct watch *watch, bool enable)
{
	/* The same folder again is the same watch; no folder yet: the clock has to do. */
	if (enable)
		inotify_add_watch(
			watch->inotify, RESOLVED_FOLDER, IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
	if (watch->enabled == enable)
		return;
	watch->enabled = enable;
	sd_event_source_set_time_relative(watch->clock, POLL_USEC);
	sd_event_source_set_enabled(watch->clock, enable ? SD_EVENT_ON : SD_EVENT_OFF);
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	sd_event_source_disable_unref(watch->files);
	sd_event_source_disable_unref(watch->links);
	sd_event_source_disable_unref(watch->clock);
	free(watch);
	return NULL;
}

int watch_new(sd_event *event, watch_changed_t changed, void *userdata, struct watch **ret)
{
	struct watch *watch;
	int r;

	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->changed = changed;
	watch->userdata = userdata;
	watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = watch->inotify < 0 ? -errno : add_fd(watch, event, watch->inotify, &watch->files);
	if (r >= 0)
		r = open_links();
	if (r >= 0)
		r = add_fd(watch, event, r, &watch->links);
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, &watch->clock, CLOCK_MONOTONIC, POLL_USEC, POLL_USEC / 10, on_clock, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->clock, SD_EVENT_OFF);
	if (r < 0) {
		watch_free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}
