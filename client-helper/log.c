#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "util.h"

static const char *const levels[] = {
	[LOG_EMERG] = "emerg",
	[LOG_ALERT] = "alert",
	[LOG_CRIT] = "crit",
	[LOG_ERR] = "err",
	[LOG_WARNING] = "warning",
	[LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void log_line(const char *level, const char *fmt, ...)
{
	int priority = level[1] - '0'; /* "<6>" */
	char line[1024];
	va_list args;

	if (!(setlogmask(0) & LOG_MASK(priority)))
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "%s%s\n", getenv("JOURNAL_STREAM") ? level : "", line);
}

int log_set_level(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(levels); i++)
		if (strcmp(levels[i], name) == 0) {
			setlogmask(LOG_UPTO(i));
			return 0;
		}
	return -EINVAL;
}

const char *log_level(void)
{
	size_t i = ELEMENTS(levels) - 1;

	while (i > 0 && !(setlogmask(0) & LOG_MASK(i)))
		i--;
	return levels[i];
}
