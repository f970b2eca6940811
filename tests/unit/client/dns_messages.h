/*
 * DNS messages for the tests: built from text, into exact heap blocks, so that AddressSanitizer
 * sees an octet read too far.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client-helper/dns.h"

struct message {
	uint8_t data[65535];
	size_t length;
};

static inline void put8(struct message *message, uint8_t value)
{
	message->data[message->length++] = value;
}

static inline void put16(struct message *message, uint16_t value)
{
	put8(message, value >> 8);
	put8(message, value & 0xff);
}

/* "www.corp.example": without a trailing dot; "" is the root. */
static inline void put_name(struct message *message, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		put8(message, length);
		memcpy(message->data + message->length, name, length);
		message->length += length;
		name += length + (name[length] == '.');
	}
	put8(message, 0);
}

static inline void put_header(
	struct message *message, uint16_t id, uint16_t flags, uint16_t answers, uint16_t additional)
{
	message->length = 0;
	put16(message, id);
	put16(message, flags);
	put16(message, 1);
	put16(message, answers);
	put16(message, 0);
	put16(message, additional);
}

static inline void put_question(struct message *message, const char *name, uint16_t type)
{
	put_name(message, name);
	put16(message, type);
	put16(message, 1);
}

/* options: length octets of whole options, or NULL. */
static inline void put_opt(
	struct message *message, uint16_t size, bool dnssec_ok, const void *options, size_t length)
{
	put8(message, 0);
	put16(message, 41);
	put16(message, size);
	put16(message, 0);
	put16(message, dnssec_ok ? 0x8000 : 0);
	put16(message, length);
	if (length > 0)
		memcpy(message->data + message->length, options, length);
	message->length += length;
}

/* A TXT record of so many octets of data, owned by the question's name. */
static inline void put_record(struct message *message, uint16_t length)
{
	put16(message, 0xc00c);
	put16(message, 16);
	put16(message, 1);
	put16(message, 0);
	put16(message, 60);
	put16(message, length);
	memset(message->data + message->length, 'x', length);
	message->length += length;
}

static inline struct message query_for(uint16_t id, const char *name)
{
	struct message message;

	put_header(&message, id, 0x0100, 0, 1);
	put_question(&message, name, 1);
	put_opt(&message, 1232, false, NULL, 0);
	return message;
}

static inline uint8_t *exact_copy(const struct message *message, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, message->data, length);
	return copy;
}
