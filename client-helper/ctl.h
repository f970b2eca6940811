/*
 * encdnsctl's verbs, one file per family. A verb gets the arguments behind its name and returns the
 * exit status: 0 fine, 1 a negative answer, 2 misuse.
 */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-bus.h>

#define CTL_FINE 0
#define CTL_NEGATIVE 1
#define CTL_MISUSE 2

typedef int (*ctl_verb_t)(int argc, char *argv[]);

int ctl_status(int argc, char *argv[]);
int ctl_release(int argc, char *argv[]);
int ctl_decode(int argc, char *argv[]); /* ctl_lines.h */
int ctl_encode(int argc, char *argv[]);

/* Calls encdnsd; an error has been told on stderr. *ret_reply may be NULL. 0 or -errno. */
int ctl_call(const char *method, sd_bus_message **ret_reply, const char *types, ...);

/* What Describe says. 0 or -errno, told on stderr. */
int ctl_describe(json_object **ret);
