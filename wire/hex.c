/*
 * Hex digits: see hex.h.
 */
#include "hex.h"

#include <errno.h>

static int value_of(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -EINVAL;
}

int hex_decode(struct span text, uint8_t *ret, size_t size)
{
	size_t i;

	if (text.len % 2 != 0 || text.len / 2 > size)
		return -EINVAL;
	for (i = 0; i < text.len; i++) {
		if (value_of(text.data[i]) < 0)
			return -EINVAL;
	}
	for (i = 0; i < text.len / 2; i++)
		ret[i] = (uint8_t)(value_of(text.data[2 * i]) << 4 | value_of(text.data[2 * i + 1]));
	return 0;
}

void hex_encode(struct span data, char *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < data.len; i++) {
		ret[2 * i] = digits[data.data[i] >> 4];
		ret[2 * i + 1] = digits[data.data[i] & 0xf];
	}
}
