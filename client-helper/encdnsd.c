/*
 * encdnsd: brings systemd-resolved to what strongSwan's plugin says of each connection, and
 * forwards the names of those connections to the enterprise's resolvers.
 *
 * When the bus goes, so does encdnsd: systemd starts it anew, and its state files and the sockets
 * in systemd's store bring back what was there, blocked, until the plugin applies it again.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include "log.h"
#include "log_control.h"
#include "manager.h"
#include "manager_bus.h"
#include "standalone.h"
#include "util.h"

struct encdnsd {
	sd_event *event;
	sd_bus *bus;
	struct manager *manager;
	sd_bus_slot *object, *log_control;
};

static const char help[] =
	"encdnsd [OPTION]\n"
	"Takes the DNS settings of IKEv2 connections to systemd-resolved, and forwards their names\n"
	"encrypted. Started by systemd; see encdnsctl(1) for what it does at the moment.\n"
	"\n"
	"  --standalone ...  the forwarder alone, in the foreground; --standalone --help says more\n"
	"  --help            this text\n"
	"  --version         the version\n";

static void set_log_level(void)
{
	const char *level = getenv("ENCDNSD_LOG_LEVEL");

	(void)log_set_level("info");
	if (level && log_set_level(level) < 0)
		log_line(SD_WARNING, "ENCDNSD_LOG_LEVEL: there is no level %s", level);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct encdnsd *encdnsd = userdata;

	log_line(SD_ERR, "the system bus is gone");
	return sd_event_exit(encdnsd->event, EXIT_FAILURE);
}

static int watch_signals(sd_event *event)
{
	static const int signals[] = {SIGTERM, SIGINT};
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	for (size_t i = 0; i < ELEMENTS(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ELEMENTS(signals); i++) {
		r = sd_event_add_signal(event, NULL, signals[i], on_signal, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_bus(struct encdnsd *encdnsd)
{
	int r;

	r = sd_bus_open_system_with_description(&encdnsd->bus, "encdnsd");
	if (r >= 0)
		r = sd_bus_attach_event(encdnsd->bus, encdnsd->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal_async(encdnsd->bus, NULL, "org.freedesktop.DBus.Local", NULL,
			"org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, encdnsd);
	return r;
}

/* The first of the colon-separated folders that systemd made for us. */
static const char *folder_of(const char *variable, char *copy, size_t size)
{
	const char *folder = getenv(variable);

	if (!folder || !*folder) {
		log_line(SD_WARNING, "no %s: what is in force is forgotten at its end", variable);
		return NULL;
	}
	snprintf(copy, size, "%.*s", (int)strcspn(folder, ":"), folder);
	return copy;
}

static int start(struct encdnsd *encdnsd)
{
	const char *runtime, *state;
	char copies[2][1024];
	int r;

	r = sd_event_default(&encdnsd->event);
	if (r >= 0)
		r = watch_signals(encdnsd->event);
	if (r >= 0)
		r = open_bus(encdnsd);
	runtime = folder_of("RUNTIME_DIRECTORY", copies[0], sizeof(copies[0]));
	state = folder_of("STATE_DIRECTORY", copies[1], sizeof(copies[1]));
	if (r >= 0)
		r = manager_new(encdnsd->bus, runtime, state, &manager_bus_events, encdnsd->bus,
			&encdnsd->manager);
	if (r >= 0)
		r = manager_bus_add(encdnsd->bus, encdnsd->manager, &encdnsd->object);
	if (r >= 0)
		r = log_control_add(encdnsd->bus, &encdnsd->log_control);
	if (r >= 0)
		r = sd_bus_request_name(encdnsd->bus, MANAGER_BUS_NAME, 0);
	return r;
}

/* Undoes nothing: what is set in resolved stays, so that a stopped encdnsd leaks nothing. */
static void stop(struct encdnsd *encdnsd)
{
	sd_bus_slot_unref(encdnsd->log_control);
	sd_bus_slot_unref(encdnsd->object);
	manager_free(encdnsd->manager);
	sd_bus_flush_close_unref(encdnsd->bus);
	sd_event_unref(encdnsd->event);
}

static int run(void)
{
	struct encdnsd encdnsd = {};
	int r;

	r = start(&encdnsd);
	if (r >= 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(encdnsd.event);
	}
	stop(&encdnsd);
	if (r < 0)
		log_line(SD_ERR, "cannot go on: %s", strerror(-r));
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{},
	};

	set_log_level();
	if (argc > 1 && strcmp(argv[1], "--standalone") == 0)
		return standalone_main(argc - 1, argv + 1);
	switch (getopt_long(argc, argv, "h", options, NULL)) {
	case 'h':
		fputs(help, stdout);
		return EXIT_SUCCESS;
	case 'V':
		puts("encdnsd " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	case -1:
		break;
	default:
		return 2;
	}
	if (optind < argc) {
		fprintf(stderr, "encdnsd: what is %s? See encdnsd --help\n", argv[optind]);
		return 2;
	}
	return run();
}
