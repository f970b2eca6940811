/*
 * Hex digits, as digests are written in DS records, pins and configuration.
 */
#pragma once

#include "buffer.h"

/* Either case, no separators. ret: text.len / 2 octets. 0 or -EINVAL; ret stays then. */
int hex_decode(struct span text, uint8_t *ret, size_t size);

/* Upper case, as in DS records, no NUL. ret: 2 * data.len octets. */
void hex_encode(struct span data, char *ret);
