#include "util.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define READABLE_MAX 128

size_t list_length(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

int list_add(char ***list, const char *string)
{
	size_t n = list_length(*list);
	char **grown, *copy;

	copy = strdup(string);
	if (!copy)
		return -ENOMEM;
	grown = reallocarray(*list, n + 2, sizeof(char *));
	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	grown[n] = copy;
	grown[n + 1] = NULL;
	*list = grown;
	return 0;
}

char **list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
	return NULL;
}

bool list_has(char *const *list, const char *string)
{
	for (size_t i = 0; list && list[i]; i++)
		if (strcmp(list[i], string) == 0)
			return true;
	return false;
}

int list_copy(char *const *list, char ***ret)
{
	cleanup_list char **copy = NULL;
	int r;

	for (size_t i = 0; list && list[i]; i++) {
		r = list_add(&copy, list[i]);
		if (r < 0)
			return r;
	}
	*ret = steal(copy);
	return 0;
}

bool list_equal(char *const *a, char *const *b)
{
	size_t n = list_length(a);

	if (n != list_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

int copy_text(char **target, const char *text)
{
	char *copy;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*target);
	*target = copy;
	return 0;
}

int format(char **ret, const char *fmt, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	*ret = text;
	return 0;
}

void set_text(char **target, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	free(*target);
	*target = text;
}

char *readable(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	size_t n = length < READABLE_MAX ? length : READABLE_MAX;
	char *text, *out;

	text = out = malloc(n * 4 + sizeof("..."));
	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] > 0x20 && bytes[i] < 0x7f && bytes[i] != '\\')
			*out++ = (char)bytes[i];
		else
			out += sprintf(out, "\\x%02x", bytes[i]);
	}
	strcpy(out, n < length ? "..." : "");
	return text;
}
