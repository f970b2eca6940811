#include <stdio.h>
#include <string.h>

#include "standalone.h"

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "--standalone") == 0)
		return standalone_main(argc - 1, argv + 1);
	fprintf(stderr, "encdnsd: only --standalone works so far\n");
	return 2;
}
