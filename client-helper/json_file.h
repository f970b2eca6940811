/*
 * JSON for files of our own: written whole or not at all, read within a bound; and the few steps of
 * json-c that all users share.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define cleanup_json cleanup(json_pointer_put)

static inline void json_pointer_put(json_object **json)
{
	json_object_put(*json);
}

/* Through a temporary file beside it, mode 0600. 0 or -errno, the old file stays then. */
int json_file_write(const char *path, json_object *json);

/* At most 1 MiB. 0, -ENOENT, -EBADMSG where it is no JSON, or another -errno. */
int json_file_read(const char *path, json_object **ret);

/* Adds a member; NULL text, or value, adds null. */
void json_add_text(json_object *object, const char *name, const char *text);
void json_add_flag(json_object *object, const char *name, bool flag);
void json_add_number(json_object *object, const char *name, int64_t number);
void json_add(json_object *object, const char *name, json_object *value);
json_object *json_list(char *const *list); /* an array of strings */

/* A member where it has the type, else NULL, false or 0. */
const char *json_get_text(json_object *object, const char *name);
bool json_get_flag(json_object *object, const char *name);
int64_t json_get_number(json_object *object, const char *name);
json_object *json_get_array(json_object *object, const char *name);

/* 0 for what is no array, NULL too. */
size_t json_length(json_object *array);

/* An array's strings; others are left out. 0 or -ENOMEM. */
int json_get_list(json_object *object, const char *name, char ***ret);
