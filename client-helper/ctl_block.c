/*
 * encdnsctl block and release: lets the names of a connection fail although it is up, or stay
 * failing when it was lost; and lifts that.
 */
#include "ctl.h"

#include <stdio.h>
#include "json_file.h"
#include "util.h"

static int block_all(void)
{
	cleanup_json json_object *status = NULL;
	json_object *connections;
	int result = CTL_FINE;
	size_t n = 0;

	if (ctl_describe(&status) < 0)
		return CTL_NEGATIVE;
	connections = json_get_array(status, "connections");
	for (size_t i = 0; connections && i < json_object_array_length(connections); i++) {
		json_object *connection = json_object_array_get_idx(connections, i);
		json_object *domains = json_get_array(connection, "domains");

		if (!domains || json_object_array_length(domains) == 0)
			continue;
		n++;
		if (ctl_call("Block", NULL, "s", json_get_text(connection, "name")) < 0)
			result = CTL_NEGATIVE;
	}
	if (n == 0) {
		fputs("encdnsctl: no connection has domains to block\n", stderr);
		return CTL_NEGATIVE;
	}
	return result;
}

int ctl_block(int argc, char *argv[])
{
	struct ctl_options options = {.max_names = 1};

	if (ctl_parse("block", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (options.n_names == 0)
		return block_all();
	return ctl_call("Block", NULL, "s", options.names[0]) < 0 ? CTL_NEGATIVE : CTL_FINE;
}

int ctl_release(int argc, char *argv[])
{
	if (argc != 1) {
		fputs("encdnsctl: release wants the name of one connection\n", stderr);
		return CTL_MISUSE;
	}
	return ctl_call("Release", NULL, "s", argv[0]) < 0 ? CTL_NEGATIVE : CTL_FINE;
}
