#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NARROWEST 20 /* columns of text; on narrower terminals nothing is broken */

static size_t width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns && atoi(columns) > 0)
		return (size_t)atoi(columns);
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

struct screen screen_of(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct screen screen = {"", "", "", "", "", 0};

	if (!isatty(fd))
		return screen;
	screen.width = width_of(fd);
	if ((no_color && *no_color) || (term && strcmp(term, "dumb") == 0))
		return screen;
	screen.good = "\033[32m";
	screen.warning = "\033[33m";
	screen.bad = "\033[31m";
	screen.bold = "\033[1m";
	screen.off = "\033[0m";
	return screen;
}

/* As many octets as fit, up to a blank; a word that is longer stays whole. */
static size_t piece(const char *text, size_t room)
{
	size_t length = strlen(text), end;

	if (length <= room)
		return length;
	for (end = room; end > 0 && text[end] != ' '; end--)
		;
	return end > 0 ? end : strcspn(text, " ");
}

void screen_text(const struct screen *screen, size_t column, const char *text)
{
	size_t room = screen->width > column + NARROWEST ? screen->width - column : (size_t)-1;
	size_t length = piece(text, room);

	printf("%.*s\n", (int)length, text);
	for (text += length; *text == ' '; text += length) {
		text += strspn(text, " ");
		length = piece(text, room);
		printf("%*s%.*s\n", (int)column, "", (int)length, text);
	}
}

void screen_line(const struct screen *screen, size_t column, const char *label, const char *style,
	const char *text)
{
	printf("%*s%s%s%s ", (int)(column > strlen(label) + 1 ? column - strlen(label) - 1 : 0), "",
		style, label, *style ? screen->off : "");
	screen_text(screen, column, text);
}
