/*
 * What of the responder's reply was not taken, and why: for the status and the journal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct refusal {
	uint16_t type; /* of the attribute */
	char *value;   /* what it was about, readable */
	char *why;
};

struct refusals {
	struct refusal *list; /* in the order of the attributes, within servers and domains each */
	size_t n;
	size_t n_left_out; /* beyond LIMIT_REFUSALS */
};

/* value and why are copied. 0, where it is left out too, or -ENOMEM. */
int refusals_add(struct refusals *refusals, uint16_t type, const char *value, const char *why);

/* The same for a value that is not understood: its octets, made readable. */
int refusals_add_octets(
	struct refusals *refusals, uint16_t type, const void *data, size_t length, const char *why);

void refusals_clear(struct refusals *refusals);
