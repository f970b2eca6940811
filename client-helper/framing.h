/*
 * DNS messages in a stream, a length of two octets before each (RFC 1035 section 4.2.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns.h"

typedef void (*framing_message_t)(uint8_t *message, size_t length, void *userdata);

/* Hands out every whole message in data. Returns the octets that they took, the
   rest awaits more. */
static inline size_t framing_read(
	uint8_t *data, size_t length, framing_message_t message, void *userdata)
{
	size_t position = 0;

	while (length - position >= 2) {
		size_t size = dns_get16(data + position);

		if (size > length - position - 2)
			break;
		message(data + position + 2, size, userdata);
		position += 2 + size;
	}
	return position;
}
