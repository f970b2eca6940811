/*
 * Characters of names and templates: ASCII, whatever the locale says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline bool ascii_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline uint8_t ascii_to_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}
