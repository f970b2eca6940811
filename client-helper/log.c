#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_line(const char *level, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	if (strcmp(level, SD_DEBUG) == 0 && !getenv("ENCDNSD_DEBUG"))
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "%s%s\n", getenv("JOURNAL_STREAM") ? level : "", line);
}
