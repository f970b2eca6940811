/*
 * encdnsctl's verbs, one file per family. A verb gets the arguments behind its name and returns the
 * exit status: 0 fine, 1 a negative answer, 2 misuse.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#define CTL_FINE 0
#define CTL_NEGATIVE 1
#define CTL_MISUSE 2

#define CTL_NAMES_MAX 2

typedef int (*ctl_verb_t)(int argc, char *argv[]);

int ctl_status(int argc, char *argv[]);
int ctl_check(int argc, char *argv[]);
int ctl_monitor(int argc, char *argv[]);
int ctl_block(int argc, char *argv[]);
int ctl_release(int argc, char *argv[]);
int ctl_log_level(int argc, char *argv[]);
int ctl_flush(int argc, char *argv[]);
int ctl_pin(int argc, char *argv[]);
int ctl_export(int argc, char *argv[]);
int ctl_decode(int argc, char *argv[]); /* ctl_lines.h */
int ctl_encode(int argc, char *argv[]);

/* What is behind a verb. Set before: max_names, and which options it knows besides --json. */
struct ctl_options {
	size_t max_names;
	bool knows_gateway, knows_file, knows_format;

	bool json;
	bool gateway;       /* --gateway */
	const char *file;   /* --file FILE */
	const char *format; /* --format FORMAT */
	const char *names[CTL_NAMES_MAX];
	size_t n_names;
};

/* 0, or -EINVAL, told on stderr. */
int ctl_parse(const char *verb, int argc, char *argv[], struct ctl_options *options);

/* On stdout, as every verb prints it. */
void ctl_print_json(json_object *json);

int ctl_open_bus(sd_bus **ret); /* 0 or -errno, told on stderr */

/* Calls encdnsd; an error has been told on stderr. *ret_reply may be NULL. 0 or -errno. */
int ctl_call(const char *method, sd_bus_message **ret_reply, const char *types, ...);

/* What Describe says. 0 or -errno, told on stderr. */
int ctl_describe(json_object **ret);

/* Else the next question starts it. */
bool ctl_encdnsd_runs(sd_bus *bus);

/* The same over a bus that is there, told to nobody: *ret_error says why not, to be freed. */
int ctl_describe_over(sd_bus *bus, json_object **ret, char **ret_error);
