/*
 * The trust anchors' file and the way to resolved, against a systemd made of a bus connection
 * without a bus: it queues jobs, and ends them when told to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "client-helper/anchors.h"
#include "client-helper/util.h"

#define A "corp.example. IN DS 1 8 2 00"
#define B "lab.example. IN DS 2 8 2 00"

static char *const nothing[] = {NULL};
static char *const a[] = {A, NULL};
static char *const a_and_b[] = {B, A, A, NULL};

struct fixture {
	char folder[32];
	char *file, *pending;
	sd_event *event;
	sd_bus *client, *server;
	struct anchors *anchors;
	unsigned reloads;
	bool subscribed;
	bool refuse;
};

static int on_subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct fixture *fixture = userdata;

	fixture->subscribed = true;
	return sd_bus_reply_method_return(message, NULL);
}

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct fixture *fixture = userdata;
	cleanup_free char *job = NULL;
	const char *unit, *mode;

	assert_true(fixture->subscribed);
	assert_true(sd_bus_message_read(message, "ss", &unit, &mode) > 0);
	assert_string_equal(unit, "systemd-resolved.service");
	fixture->reloads++;
	if (fixture->refuse)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED, "no");
	assert_int_equal(format(&job, "/org/freedesktop/systemd1/job/%u", fixture->reloads), 0);
	return sd_bus_reply_method_return(message, "o", job);
}

static const sd_bus_vtable systemd[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ReloadOrTryRestartUnit", "ss", "o", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static void ignore(struct anchors *anchors, void *userdata)
{
}

/* Whatever is ready: both ends of the bus are in this loop. */
static void settle(struct fixture *fixture)
{
	while (sd_event_run(fixture->event, 20000) > 0)
		;
}

/* A pause ends by the clock. */
static void wait_for_reload(struct fixture *fixture, unsigned reloads)
{
	for (unsigned tries = 0; fixture->reloads < reloads && tries < 1000; tries++)
		assert_true(sd_event_run(fixture->event, 20000) >= 0);
	assert_int_equal(fixture->reloads, reloads);
	settle(fixture);
}

static void end_job(struct fixture *fixture, unsigned job, const char *result)
{
	sd_bus_message *signal = NULL;
	cleanup_free char *path = NULL;

	assert_int_equal(format(&path, "/org/freedesktop/systemd1/job/%u", job), 0);
	assert_true(sd_bus_message_new_signal(fixture->server, &signal, "/org/freedesktop/systemd1",
					"org.freedesktop.systemd1.Manager", "JobRemoved") >= 0);
	assert_true(sd_bus_message_set_sender(signal, "org.freedesktop.systemd1") >= 0);
	assert_true(
		sd_bus_message_append(signal, "uoss", job, path, "systemd-resolved.service", result) >= 0);
	assert_true(sd_bus_send(fixture->server, signal, NULL) >= 0);
	sd_bus_message_unref(signal);
	settle(fixture);
}

static void assert_file(const struct fixture *fixture, const char *lines)
{
	cleanup_fclose FILE *file = fopen(fixture->file, "re");
	char text[1024] = "", *body;

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) < sizeof(text) - 1);
	body = text;
	if (*body == ';')
		body = strchr(body, '\n') + 1;
	assert_string_equal(body, lines);
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void begin_life(struct fixture *fixture)
{
	anchors_free(fixture->anchors);
	assert_int_equal(anchors_new(fixture->client, fixture->file, fixture->pending, ignore, NULL,
						 &fixture->anchors),
		0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	sd_id128_t id = {};
	int pair[2];

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/encdns-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	assert_int_equal(format(&fixture->file, "%s/encdns.positive", fixture->folder), 0);
	assert_int_equal(format(&fixture->pending, "%s/pending", fixture->folder), 0);
	touch(fixture->file);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_true(sd_event_new(&fixture->event) >= 0);
	assert_true(sd_bus_new(&fixture->server) >= 0);
	assert_true(sd_bus_set_fd(fixture->server, pair[0], pair[0]) >= 0);
	assert_true(sd_bus_set_server(fixture->server, true, id) >= 0);
	assert_true(sd_bus_attach_event(fixture->server, fixture->event, 0) >= 0);
	assert_true(sd_bus_add_object_vtable(fixture->server, NULL, "/org/freedesktop/systemd1",
					"org.freedesktop.systemd1.Manager", systemd, fixture) >= 0);
	assert_true(sd_bus_start(fixture->server) >= 0);
	assert_true(sd_bus_new(&fixture->client) >= 0);
	assert_true(sd_bus_set_fd(fixture->client, pair[1], pair[1]) >= 0);
	assert_true(sd_bus_attach_event(fixture->client, fixture->event, 0) >= 0);
	assert_true(sd_bus_start(fixture->client) >= 0);
	begin_life(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	anchors_free(fixture->anchors);
	sd_bus_close_unref(fixture->client);
	sd_bus_close_unref(fixture->server);
	sd_event_unref(fixture->event);
	unlink(fixture->file);
	unlink(fixture->pending);
	rmdir(fixture->folder);
	free(fixture->file);
	free(fixture->pending);
	free(fixture);
	return 0;
}

static void test_lines(void **state)
{
	struct trust_anchor anchor = {
		.key_tag = 12345,
		.algorithm = 13,
		.digest_type = 1,
		.digest_length = 3,
		.digest = {0x00, 0xab, 0xff},
	};
	char *line;

	assert_int_equal(anchors_line("corp.example", &anchor, &line), 0);
	assert_string_equal(line, "corp.example. IN DS 12345 13 1 00ABFF");
	free(line);
	assert_int_equal(anchors_line(".", &anchor, &line), 0);
	assert_string_equal(line, ". IN DS 12345 13 1 00ABFF");
	free(line);
}

/* I24: in force is what resolved has read, and not before. */
static void test_put_in_force(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(anchors_want(fixture->anchors, a_and_b), 0);
	assert_false(anchors_in_force(fixture->anchors, a));
	assert_true(anchors_in_force(fixture->anchors, nothing));
	settle(fixture);
	assert_int_equal(fixture->reloads, 1);
	assert_file(fixture, A "\n" B "\n");
	assert_true(anchors_reloading(fixture->anchors));
	assert_false(anchors_in_force(fixture->anchors, a));
	end_job(fixture, 77, "done"); /* somebody else's */
	assert_false(anchors_in_force(fixture->anchors, a));
	end_job(fixture, 1, "done");
	assert_true(anchors_in_force(fixture->anchors, a_and_b));
	assert_false(anchors_reloading(fixture->anchors));
	assert_int_equal(access(fixture->pending, F_OK), -1);
	assert_null(anchors_failure(fixture->anchors));

	/* The same once more, and a look: nothing to do. */
	assert_int_equal(anchors_want(fixture->anchors, a_and_b), 0);
	anchors_check(fixture->anchors);
	settle(fixture);
	assert_int_equal(fixture->reloads, 1);
}

static void test_nothing_to_do(void **state)
{
	struct fixture *fixture = *state;

	anchors_check(fixture->anchors);
	assert_int_equal(anchors_want(fixture->anchors, NULL), 0);
	settle(fixture);
	assert_int_equal(fixture->reloads, 0);
	unlink(fixture->file);
	anchors_check(fixture->anchors);
	settle(fixture);
	assert_int_equal(fixture->reloads, 0);
	assert_null(anchors_failure(fixture->anchors));
}

/* I27, and no faster than systemd allows; what stays is in force all along. */
static void test_taken_out(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(anchors_want(fixture->anchors, a_and_b), 0);
	settle(fixture);
	end_job(fixture, 1, "done");
	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	assert_true(anchors_in_force(fixture->anchors, a));
	assert_false(anchors_in_force(fixture->anchors, a_and_b));
	settle(fixture);
	assert_int_equal(fixture->reloads, 1);
	assert_int_equal(anchors_want(fixture->anchors, nothing), 0);
	wait_for_reload(fixture, 2);
	assert_file(fixture, "");
	assert_int_equal(access(fixture->pending, F_OK), 0);
	end_job(fixture, 2, "done");
	assert_int_equal(access(fixture->pending, F_OK), -1);
}

static void test_somebody_empties_the_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	end_job(fixture, 1, "done");
	assert_int_equal(truncate(fixture->file, 0), 0);
	anchors_check(fixture->anchors);
	wait_for_reload(fixture, 2);
	assert_file(fixture, A "\n");
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;

	fixture->refuse = true;
	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	assert_string_equal(anchors_failure(fixture->anchors),
		"trust anchors: systemd refuses: polkit has no rules for encdnsd");
	assert_false(anchors_in_force(fixture->anchors, a));
	fixture->refuse = false;
	wait_for_reload(fixture, 2);
	end_job(fixture, 2, "done");
	assert_true(anchors_in_force(fixture->anchors, a));
	assert_null(anchors_failure(fixture->anchors));
}

static void test_job_fails(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	end_job(fixture, 1, "failed");
	assert_string_equal(anchors_failure(fixture->anchors),
		"trust anchors: systemd-resolved cannot be reloaded: failed");
	assert_false(anchors_in_force(fixture->anchors, a));
}

static void test_file_cannot_be_written(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->file);
	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	assert_non_null(strstr(anchors_failure(fixture->anchors), "No such file"));
	assert_int_equal(fixture->reloads, 0);
	assert_false(anchors_in_force(fixture->anchors, a));
}

/* Killed before resolved had read the file: the next life sees to it, however the file looks. */
static void test_next_life(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	begin_life(fixture);
	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	assert_int_equal(fixture->reloads, 2);
	end_job(fixture, 2, "done");

	/* Killed after that: what the file says is in force. */
	begin_life(fixture);
	assert_false(anchors_in_force(fixture->anchors, a));
	assert_int_equal(anchors_want(fixture->anchors, a), 0);
	settle(fixture);
	assert_int_equal(fixture->reloads, 2);
	assert_true(anchors_in_force(fixture->anchors, a));

	/* And what an earlier life left behind is taken out. */
	begin_life(fixture);
	assert_int_equal(anchors_want(fixture->anchors, NULL), 0);
	settle(fixture);
	assert_int_equal(fixture->reloads, 3);
	assert_file(fixture, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup_teardown(test_put_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_somebody_empties_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_job_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_cannot_be_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_life, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
