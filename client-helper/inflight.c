#include "inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dns.h"

enum { BUCKETS = LIMIT_QUERIES / 4 };

struct inflight {
	struct query *buckets[BUCKETS]; /* linked by chain */
	uint32_t seed;
};

int inflight_new(struct inflight **ret)
{
	struct inflight *inflight = calloc(1, sizeof(*inflight));

	if (!inflight)
		return -ENOMEM;
	/* Without it whoever may ask could choose names of one bucket; they would be slow, not wrong. */
	(void)!getrandom(&inflight->seed, sizeof(inflight->seed), GRND_NONBLOCK);
	*ret = inflight;
	return 0;
}

struct inflight *inflight_free(struct inflight *inflight)
{
	free(inflight);
	return NULL;
}

/* FNV-1a of the question. */
static uint16_t bucket_of(const struct inflight *inflight, const struct query *query)
{
	uint32_t hash = UINT32_C(2166136261) ^ inflight->seed;

	for (size_t i = 0; i < query->question_length; i++)
		hash = (hash ^ query->message[DNS_HEADER_SIZE + i]) * UINT32_C(16777619);
	return (hash ^ hash >> 16) % BUCKETS;
}

/* All but the id: the flags, the name as it is spelled, what is padded. */
static bool same(const struct query *a, const struct query *b)
{
	return a->length == b->length &&
		   memcmp(a->message + sizeof(a->id), b->message + sizeof(b->id),
			   a->length - sizeof(a->id)) == 0;
}

bool inflight_join(struct inflight *inflight, struct query *query)
{
	uint16_t bucket = bucket_of(inflight, query);

	for (struct query *first = inflight->buckets[bucket]; first; first = first->chain) {
		/* An old one may be lost, and who asks again has a right to another. */
		if (!same(first, query) || query->arrived > first->arrived + LIMIT_MERGE_USEC)
			continue;
		query->followers = first->followers;
		first->followers = query;
		return true;
	}
	query->bucket = bucket;
	query->chain = inflight->buckets[bucket];
	inflight->buckets[bucket] = query;
	return false;
}

struct query *inflight_leave(struct inflight *inflight, struct query *query)
{
	struct query **place = &inflight->buckets[query->bucket], *followers = query->followers;

	while (*place != query)
		place = &(*place)->chain;
	*place = query->chain;
	query->chain = query->followers = NULL;
	return followers;
}
