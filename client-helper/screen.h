/*
 * How encdnsctl writes for people: colours and the width of a terminal, neither of them in a pipe,
 * and no colours where NO_COLOR is set (no-color.org).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct screen {
	const char *good, *warning, *bad, *bold, *off; /* "" without colours */
	size_t width;                                  /* 0: a pipe, lines stay as they are */
};

struct screen screen_of(int fd);

/*
 * A label that ends in column, and text behind it; on a terminal the text is broken between words,
 * every line of it behind the column.
 */
void screen_line(const struct screen *screen, size_t column, const char *label, const char *style,
	const char *text);

/* The same text, broken, behind what is already written up to the column. */
void screen_text(const struct screen *screen, size_t column, const char *text);
