#include "anchors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "wire/hex.h"
#include "bus_message.h"
#include "systemd.h"
#include "util.h"

/* systemd gives up on a unit that is started more than five times within ten seconds. */
#define PAUSE_FIRST_USEC (3 * UINT64_C(1000000))
#define PAUSE_MOST_USEC (60 * UINT64_C(1000000))
#define JOB_TIMEOUT_USEC (30 * UINT64_C(1000000))

#define FILE_MAX (1024 * 1024)
#define HEADER "; Trust anchors of IKEv2 connections, by encdnsd. Changes are undone.\n"

struct anchors {
	sd_bus *bus;
	char *file, *pending;
	anchors_changed_t changed;
	void *userdata;
	char **wanted; /* sorted, none twice */
	char **read;   /* by resolved */
	char **told;   /* that resolved is just told to read */
	bool decided;  /* wanted has been said once */
	char *failure;
	sd_bus_slot *call, *jobs; /* reloading */
	char *job;                /* its path; NULL: not known yet */
	sd_event_source *kick;    /* the next look, or the end of patience with a job */
	uint64_t earliest_usec;   /* of the next reload */
	uint64_t pause_usec;
};

int anchors_line(const char *domain, const struct trust_anchor *anchor, char **ret)
{
	char hex[2 * TRUST_ANCHOR_DIGEST_MAX];

	hex_encode(span_of(anchor->digest, anchor->digest_length), hex);
	return format(ret, "%s%s IN DS %u %u %u %.*s", domain, strcmp(domain, ".") == 0 ? "" : ".",
		anchor->key_tag, anchor->algorithm, anchor->digest_type, 2 * anchor->digest_length, hex);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sorted_copy(char *const *lines, char ***ret)
{
	cleanup_list char **copy = NULL, **unique = NULL;
	size_t n = list_length(lines);
	int r;

	r = list_copy(lines, &copy);
	if (r >= 0 && n > 0)
		qsort(copy, n, sizeof(*copy), compare);
	for (size_t i = 0; i < n && r >= 0; i++)
		if (i == 0 || strcmp(copy[i], copy[i - 1]) != 0)
			r = list_add(&unique, copy[i]);
	if (r < 0)
		return r;
	*ret = steal(unique);
	return 0;
}

static int to_text(char *const *lines, char **ret)
{
	cleanup_free char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	bool failed;

	if (!stream)
		return -ENOMEM;
	if (lines && lines[0])
		fputs(HEADER, stream);
	for (size_t i = 0; lines && lines[i]; i++)
		fprintf(stream, "%s\n", lines[i]);
	failed = ferror(stream);
	if (fclose(stream) != 0 || failed)
		return -ENOMEM;
	*ret = steal(text);
	return 0;
}

/* No file is an empty one. */
static bool file_is(const char *path, const char *text)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *is = NULL;
	size_t length;

	if (!file)
		return errno == ENOENT && !*text;
	is = malloc(FILE_MAX);
	if (!is)
		return false;
	length = fread(is, 1, FILE_MAX, file);
	return length == strlen(text) && memcmp(is, text, length) == 0;
}

/* In place: the folder is root's, only the file is ours. resolved reads it when it is told to. */
static int write_file(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = strlen(text), done = 0;

	if (fd < 0)
		return -errno;
	while (done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return ftruncate(fd, (off_t)length) < 0 ? -errno : 0;
}

static int set_pending(const struct anchors *anchors)
{
	int fd;

	if (!anchors->pending)
		return 0;
	fd = open(anchors->pending, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool is_pending(const struct anchors *anchors)
{
	return anchors->pending && access(anchors->pending, F_OK) == 0;
}

static void clear_pending(const struct anchors *anchors)
{
	if (anchors->pending)
		unlink(anchors->pending);
}

static uint64_t now_usec(const struct anchors *anchors)
{
	uint64_t usec = 0;

	sd_event_now(sd_bus_get_event(anchors->bus), CLOCK_MONOTONIC, &usec);
	return usec;
}

static void look_at(struct anchors *anchors, uint64_t usec)
{
	sd_event_source_set_time(anchors->kick, usec);
	sd_event_source_set_enabled(anchors->kick, SD_EVENT_ONESHOT);
}

static void tell(struct anchors *anchors)
{
	anchors->changed(anchors, anchors->userdata);
}

static bool busy(const struct anchors *anchors)
{
	return anchors->jobs != NULL;
}

static void end_reload(struct anchors *anchors)
{
	anchors->call = sd_bus_slot_unref(anchors->call);
	anchors->jobs = sd_bus_slot_unref(anchors->jobs);
	free(anchors->job);
	anchors->job = NULL;
}

static void fail(struct anchors *anchors, const char *reason)
{
	end_reload(anchors);
	set_text(&anchors->failure, "trust anchors: %s", reason);
	look_at(anchors, now_usec(anchors) + anchors->pause_usec);
	anchors->pause_usec *= 2;
	if (anchors->pause_usec > PAUSE_MOST_USEC)
		anchors->pause_usec = PAUSE_MOST_USEC;
	tell(anchors);
}

static void succeed(struct anchors *anchors)
{
	end_reload(anchors);
	clear_pending(anchors);
	list_free(anchors->read);
	anchors->read = steal(anchors->told);
	free(anchors->failure);
	anchors->failure = NULL;
	anchors->pause_usec = PAUSE_FIRST_USEC;
	if (!list_equal(anchors->read, anchors->wanted))
		look_at(anchors, anchors->earliest_usec);
	tell(anchors);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct anchors *anchors = userdata;
	const char *job, *unit, *result;
	cleanup_free char *reason = NULL;
	int r;

	r = sd_bus_message_read(message, "uoss", NULL, &job, &unit, &result);
	if (r < 0)
		return r;
	if (!anchors->job || strcmp(anchors->job, job) != 0)
		return 0;
	if (strcmp(result, "done") == 0) {
		succeed(anchors);
		return 0;
	}
	set_text(&reason, "systemd-resolved cannot be reloaded: %s", result);
	fail(anchors, reason ? reason : "out of memory");
	return 0;
}

static int on_queued(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct anchors *anchors = userdata;
	cleanup_free char *reason = NULL;
	const char *job;

	anchors->call = sd_bus_slot_unref(anchors->call);
	if (sd_bus_message_is_method_error(reply, NULL)) {
		(void)!bus_error_to_text(sd_bus_message_get_error(reply), "systemd", &reason);
		fail(anchors, reason ? reason : "out of memory");
		return 0;
	}
	if (sd_bus_message_read(reply, "o", &job) >= 0)
		set_text(&anchors->job, "%s", job);
	if (!anchors->job)
		fail(anchors, "systemd's answer makes no sense");
	return 0;
}

static void reload(struct anchors *anchors)
{
	uint64_t now = now_usec(anchors);
	int r;

	r = systemd_watch_jobs(anchors->bus, on_job_removed, anchors, &anchors->jobs);
	if (r >= 0)
		r = systemd_reload_resolved(anchors->bus, on_queued, anchors, &anchors->call);
	if (r < 0) {
		fail(anchors, strerror(-r));
		return;
	}
	anchors->earliest_usec = now + PAUSE_FIRST_USEC;
	look_at(anchors, now + JOB_TIMEOUT_USEC);
	tell(anchors);
}

static int write_and_reload(struct anchors *anchors, const char *text)
{
	cleanup_free char *reason = NULL;
	int r;

	anchors->told = list_free(anchors->told);
	r = list_copy(anchors->wanted, &anchors->told);
	if (r >= 0)
		r = set_pending(anchors);
	if (r >= 0 && !file_is(anchors->file, text))
		r = write_file(anchors->file, text);
	if (r < 0) {
		set_text(&reason, "%s cannot be written: %s", anchors->file, strerror(-r));
		fail(anchors, reason ? reason : "out of memory");
		return 0;
	}
	reload(anchors);
	return 0;
}

static int on_kick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct anchors *anchors = userdata;
	cleanup_free char *text = NULL;

	if (busy(anchors)) {
		fail(anchors, "systemd-resolved takes too long to reload");
		return 0;
	}
	if (!anchors->decided)
		return 0;
	if (to_text(anchors->wanted, &text) < 0) {
		fail(anchors, "out of memory");
		return 0;
	}
	if (!file_is(anchors->file, text) || is_pending(anchors) || anchors->failure) {
		if (now_usec(anchors) < anchors->earliest_usec) {
			look_at(anchors, anchors->earliest_usec);
			return 0;
		}
		return write_and_reload(anchors, text);
	}
	/* Resolved has read it before: at the last reload, or that of an earlier life of ours. */
	if (list_equal(anchors->read, anchors->wanted))
		return 0;
	anchors->told = list_free(anchors->told);
	if (list_copy(anchors->wanted, &anchors->told) < 0)
		fail(anchors, "out of memory");
	else
		succeed(anchors);
	return 0;
}

int anchors_want(struct anchors *anchors, char *const *lines)
{
	char **wanted = NULL;
	int r;

	r = sorted_copy(lines, &wanted);
	if (r < 0)
		return r;
	if (anchors->decided && list_equal(wanted, anchors->wanted)) {
		list_free(wanted);
		return 0;
	}
	list_free(anchors->wanted);
	anchors->wanted = wanted;
	anchors->decided = true;
	anchors_check(anchors);
	return 0;
}

void anchors_check(struct anchors *anchors)
{
	/* One that failed has its own time to be tried again. */
	if (!busy(anchors) && !anchors->failure)
		look_at(anchors, 0);
}

bool anchors_in_force(const struct anchors *anchors, char *const *lines)
{
	for (size_t i = 0; lines && lines[i]; i++)
		if (!list_has(anchors->read, lines[i]) || !list_has(anchors->wanted, lines[i]))
			return false;
	return true;
}

const char *anchors_failure(const struct anchors *anchors)
{
	return anchors->failure;
}

bool anchors_reloading(const struct anchors *anchors)
{
	return busy(anchors);
}

struct anchors *anchors_free(struct anchors *anchors)
{
	if (!anchors)
		return NULL;
	end_reload(anchors);
	sd_event_source_disable_unref(anchors->kick);
	list_free(anchors->wanted);
	list_free(anchors->read);
	list_free(anchors->told);
	free(anchors->failure);
	free(anchors->file);
	free(anchors->pending);
	free(anchors);
	return NULL;
}

int anchors_new(sd_bus *bus, const char *file, const char *pending, anchors_changed_t changed,
	void *userdata, struct anchors **ret)
{
	struct anchors *anchors;
	int r;

	anchors = calloc(1, sizeof(*anchors));
	if (!anchors)
		return -ENOMEM;
	anchors->bus = bus;
	anchors->changed = changed;
	anchors->userdata = userdata;
	anchors->pause_usec = PAUSE_FIRST_USEC;
	r = format(&anchors->file, "%s", file);
	if (r >= 0 && pending)
		r = format(&anchors->pending, "%s", pending);
	if (r >= 0)
		r = sd_event_add_time_relative(
			sd_bus_get_event(bus), &anchors->kick, CLOCK_MONOTONIC, 0, 0, on_kick, anchors);
	if (r >= 0)
		r = sd_event_source_set_enabled(anchors->kick, SD_EVENT_OFF);
	if (r < 0) {
		anchors_free(anchors);
		return r;
	}
	*ret = anchors;
	return 0;
}
