#include "json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "util.h"

#define FILE_MAX (1024 * 1024)
#define DEPTH_MAX 16

int json_file_write(const char *path, json_object *json)
{
	cleanup_free char *temporary = NULL;
	cleanup_fclose FILE *file = NULL;
	const char *text;
	int r;

	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY);
	r = format(&temporary, "%s.new", path);
	if (r < 0 || !text)
		return -ENOMEM;
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	if (fchmod(fileno(file), 0600) < 0 || fputs(text, file) < 0 || fputc('\n', file) < 0 ||
		fflush(file) != 0 || rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
		return r;
	}
	return 0;
}

int json_file_read(const char *path, json_object **ret)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *text = NULL;
	json_tokener *tokener;
	json_object *json;
	size_t length;

	if (!file)
		return -errno;
	text = malloc(FILE_MAX);
	if (!text)
		return -ENOMEM;
	length = fread(text, 1, FILE_MAX, file);
	if (ferror(file))
		return -EIO;
	if (length == FILE_MAX)
		return -EBADMSG;
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return -ENOMEM;
	json = json_tokener_parse_ex(tokener, text, (int)length);
	json_tokener_free(tokener);
	if (!json)
		return -EBADMSG;
	*ret = json;
	return 0;
}

void json_add(json_object *object, const char *name, json_object *value)
{
	json_object_object_add(object, name, value);
}

void json_add_text(json_object *object, const char *name, const char *text)
{
	json_add(object, name, text ? json_object_new_string(text) : NULL);
}

void json_add_flag(json_object *object, const char *name, bool flag)
{
	json_add(object, name, json_object_new_boolean(flag));
}

void json_add_number(json_object *object, const char *name, int64_t number)
{
	json_add(object, name, json_object_new_int64(number));
}

json_object *json_list(char *const *list)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; array && list && list[i]; i++)
		json_object_array_add(array, json_object_new_string(list[i]));
	return array;
}

static json_object *get(json_object *object, const char *name, json_type type)
{
	json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *json_get_text(json_object *object, const char *name)
{
	json_object *value = get(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

bool json_get_flag(json_object *object, const char *name)
{
	return json_object_get_boolean(get(object, name, json_type_boolean));
}

int64_t json_get_number(json_object *object, const char *name)
{
	return json_object_get_int64(get(object, name, json_type_int));
}

json_object *json_get_array(json_object *object, const char *name)
{
	return get(object, name, json_type_array);
}

size_t json_length(json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

int json_get_list(json_object *object, const char *name, char ***ret)
{
	json_object *array = json_get_array(object, name);
	cleanup_list char **list = NULL;
	int r;

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_string))
			continue;
		r = list_add(&list, json_object_get_string(item));
		if (r < 0)
			return r;
	}
	*ret = steal(list);
	return 0;
}
