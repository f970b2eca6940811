#include "histogram.h"

/* Below 8 us each has its own; above, octave and the three bits behind the leading one. */
static unsigned bucket_of(uint64_t usec)
{
	unsigned octave, bucket;

	if (usec < 8)
		return usec;
	octave = 63 - __builtin_clzll(usec);
	bucket = 8 * (octave - 2) + (usec >> (octave - 3) & 7);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t middle_of(unsigned bucket)
{
	unsigned octave = bucket / 8 + 2;
	uint64_t width;

	if (bucket < 8)
		return bucket;
	width = UINT64_C(1) << (octave - 3);
	return (8 + bucket % 8) * width + width / 2;
}

void histogram_add(struct histogram *histogram, uint64_t usec)
{
	histogram->n++;
	histogram->buckets[bucket_of(usec)]++;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	uint64_t rank = (histogram->n * permille + 999) / 1000, seen = 0;

	for (unsigned i = 0; histogram->n > 0 && i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return middle_of(i);
	}
	return 0;
}
