/*
 * Addresses of either family as plain values: from octets, to text, compared, and ranges of them.
 * Callers never look at the family to choose code: the octets' number is the only difference.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "server.h"

/* Long enough for any address in text. */
#define ADDRESS_TEXT INET6_ADDRSTRLEN

/* 4 octets make an IPv4 address, 16 an IPv6 one; -EINVAL for others. */
int address_from_bytes(const void *bytes, size_t length, struct address *ret);
int address_from_text(const char *text, struct address *ret); /* 0 or -EINVAL */
size_t address_length(const struct address *address);         /* 4 or 16 */
const char *address_to_text(const struct address *address, char text[ADDRESS_TEXT]);
bool address_equal(const struct address *a, const struct address *b);
const char *family_name(int family); /* "IPv4", "IPv6" */
