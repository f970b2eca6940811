/* Frames that arrive in two pieces, cut anywhere, are those that arrive at once. */
#include "fuzz.h"

#include <string.h>

#include "client-helper/framing.h"

static void add_up(uint8_t *message, size_t length, void *userdata)
{
	size_t *sum = userdata;

	*sum = *sum * 31 + length + 1;
	for (size_t i = 0; i < length; i++)
		*sum = *sum * 31 + message[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole = 0, pieces = 0, cut = size > 0 ? data[0] % size : 0, taken, left;
	uint8_t *copy = malloc(size + 1);

	MUST(copy);
	memcpy(copy, data, size);
	left = size - framing_read(copy, size, add_up, &whole);
	taken = framing_read(copy, cut, add_up, &pieces);
	MUST(taken <= cut);
	taken += framing_read(copy + taken, size - taken, add_up, &pieces);
	MUST(whole == pieces && size - taken == left);
	free(copy);
	return 0;
}
