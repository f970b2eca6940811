#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int ctl_parse(const char *verb, int argc, char *argv[], struct ctl_options *options)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			options->json = true;
		} else if (options->knows_gateway && strcmp(argv[i], "--gateway") == 0) {
			options->gateway = true;
		} else if (options->knows_file && strcmp(argv[i], "--file") == 0 && i + 1 < argc) {
			options->file = argv[++i];
		} else if (options->knows_format && strcmp(argv[i], "--format") == 0 && i + 1 < argc) {
			options->format = argv[++i];
		} else if (argv[i][0] != '-' && options->n_names < options->max_names) {
			options->names[options->n_names++] = argv[i];
		} else {
			fprintf(stderr, "encdnsctl: %s does not know %s, see encdnsctl help\n", verb, argv[i]);
			return -EINVAL;
		}
	}
	return 0;
}

void ctl_print_json(json_object *json)
{
	puts(json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}
