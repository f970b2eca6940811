/*
 * encdnsctl flush: empties systemd-resolved's cache; encdnsd has none.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "resolved.h"
#include "util.h"

int ctl_flush(int argc, char *argv[])
{
	cleanup(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	struct ctl_options options = {};
	int r;

	if (ctl_parse("flush", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (ctl_open_bus(&bus) < 0)
		return CTL_NEGATIVE;
	r = sd_bus_call_method(bus, RESOLVED_NAME, "/org/freedesktop/resolve1",
		RESOLVED_NAME ".Manager", "FlushCaches", &error, NULL, NULL);
	if (r < 0)
		fprintf(stderr, "encdnsctl: %s\n", error.message ? error.message : strerror(-r));
	return r < 0 ? CTL_NEGATIVE : CTL_FINE;
}
