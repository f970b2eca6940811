/*
 * The journal's lines: to stderr, with sd-daemon's level prefix where stderr is the journal. Text
 * that comes from a peer has been made readable before; queries' names are never in it.
 */
#pragma once

#include <systemd/sd-daemon.h>

/* level: SD_DEBUG, SD_INFO, SD_NOTICE, SD_WARNING, SD_ERR. Debug is written where ENCDNSD_DEBUG is
 * set. */
void log_line(const char *level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
