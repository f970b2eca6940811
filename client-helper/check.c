#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include "util.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_FINE] = "fine",
		[VERDICT_WARNING] = "warning",
		[VERDICT_BROKEN] = "broken",
	};

	return names[verdict];
}

static void __attribute__((format(printf, 4, 0)))
found(struct check *check, enum verdict verdict, const char *advice, const char *fmt, va_list args)
{
	char *what = NULL;

	if (vasprintf(&what, fmt, args) < 0)
		return;
	check->found(check, verdict, advice, what);
	free(what);
}

void check_fine(struct check *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	found(check, VERDICT_FINE, NULL, fmt, args);
	va_end(args);
}

void check_warn(struct check *check, const char *advice, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	found(check, VERDICT_WARNING, advice, fmt, args);
	va_end(args);
}

void check_broken(struct check *check, const char *advice, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	found(check, VERDICT_BROKEN, advice, fmt, args);
	va_end(args);
}
