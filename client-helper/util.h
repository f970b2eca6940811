/*
 * The few helpers that every file of the client needs: cleanup attributes, string lists, and
 * strings that come from a peer made fit for a person to read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Cleared when the variable goes out of scope; give the pointer away with steal(). */
#define cleanup(function) __attribute__((cleanup(function)))
#define cleanup_free cleanup(free_pointer)
#define cleanup_fclose cleanup(close_file)
#define cleanup_close cleanup(close_fd)
#define cleanup_list cleanup(list_free_pointer)

#define steal(pointer)                                                                             \
	({                                                                                             \
		__typeof__(pointer) stolen_ = (pointer);                                                   \
		(pointer) = NULL;                                                                          \
		stolen_;                                                                                   \
	})

static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* NULL-terminated lists of strings. NULL is an empty list too. */
size_t list_length(char *const *list);
int list_add(char ***list, const char *string);       /* appends a copy; 0 or -ENOMEM */
bool list_has(char *const *list, const char *string); /* octet by octet */
int list_copy(char *const *list, char ***ret);
bool list_equal(
	char *const *a, char *const *b); /* same strings in the same order; NULL equals empty */
char **list_free(char **list);       /* takes NULL, returns NULL */

static inline void list_free_pointer(char ***list)
{
	list_free(*list);
}

/* Replaces *target by a copy; NULL leaves it. 0 or -ENOMEM, then it stays. */
int copy_text(char **target, const char *text);

/* asprintf that leaves *ret untouched on failure. 0 or -ENOMEM. */
int format(char **ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Replaces *target by a formatted string; NULL where memory is short. */
void set_text(char **target, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A copy of octets that a peer sent, for logs and status: what is not printable ASCII becomes \xHH,
 * more than 128 octets are cut. NULL where memory is short.
 */
char *readable(const void *data, size_t length);
