/*
 * Replays files through a fuzz target, without libFuzzer: see fuzz.h. Each is in a heap block of
 * just its size, so that sanitizers and valgrind see an octet read too far.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

static uint8_t *read_file(FILE *file, size_t *ret_size)
{
	uint8_t *data;
	long size;

	if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		return NULL;
	rewind(file);
	data = malloc((size_t)size);
	if (size > 0 && (!data || fread(data, (size_t)size, 1, file) != 1)) {
		free(data);
		return NULL;
	}
	*ret_size = (size_t)size;
	return data;
}

int main(int argc, char *argv[])
{
	uint8_t *data;
	size_t size;
	FILE *file;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		file = fopen(argv[i], "rb");
		size = SIZE_MAX;
		data = file ? read_file(file, &size) : NULL;
		if (size == SIZE_MAX) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		fclose(file);
		printf("%s\n", argv[i]);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return 0;
}
