/*
 * The journal's lines: to stderr, with sd-daemon's level prefix where stderr is the journal. Text
 * that comes from a peer has been made readable before; queries' names are never in it.
 *
 * Which levels are written is libc's log mask of the process (setlogmask(3)).
 */
#pragma once

#include <systemd/sd-daemon.h>

/* level: SD_DEBUG, SD_INFO, SD_NOTICE, SD_WARNING, SD_ERR. */
void log_line(const char *level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The least important level that is written: "emerg" to "debug", as syslog(3) names them. */
int log_set_level(const char *name); /* 0, or -EINVAL where there is none of that name */
const char *log_level(void);
