/*
 * Times in microseconds, counted in buckets an eighth of an octave wide, so that median and 99th
 * percentile come out within 9 % and in bounded memory.
 */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 8 * 27 }; /* up to 2^26 us, about a minute */

struct histogram {
	uint64_t n;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t usec);

/* The value that a share (in thousandths) of all is not above; 0 where there is none. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);
