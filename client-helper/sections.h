/*
 * What a gateway hands out, as encdns-config prints it: sections and resolvers as JSON objects of
 * strings, which the plugin's own reader has found valid.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

/* A list of the file, "a, b", as strings; NULL where there is none. */
char **section_list(json_object *section, const char *key);
bool section_list_has(char *const *list, const char *word);

/* The resolver of the smallest priority, the first of several, that speaks the protocol. NULL:
 * none. */
json_object *section_resolver(json_object *section, const char *alpn);
