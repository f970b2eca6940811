/*
 * encdnsctl release: lifts the block of a connection that was lost.
 */
#include "ctl.h"

#include <stdio.h>

int ctl_release(int argc, char *argv[])
{
	if (argc != 1) {
		fputs("encdnsctl: release wants the name of one connection\n", stderr);
		return CTL_MISUSE;
	}
	return ctl_call("Release", NULL, "s", argv[0]) < 0 ? CTL_NEGATIVE : CTL_FINE;
}
