#include "ids.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
	RANDOM = 64,
	SLOTS = 2 * LIMIT_QUERIES, /* small enough to stay in the cache, never more than half full */
};

struct ids {
	struct query *queries[SLOTS]; /* by the lower bits of the id */
	uint16_t random[RANDOM];      /* from the kernel, many per system call */
	unsigned n_random, n_used;
};

int ids_new(struct ids **ret)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	*ret = ids;
	return 0;
}

struct ids *ids_free(struct ids *ids)
{
	free(ids);
	return NULL;
}

static uint16_t next_random(struct ids *ids)
{
	if (ids->n_random == 0) {
		/* So few octets never come short or late once the kernel's generator is seeded. */
		if (getrandom(ids->random, sizeof(ids->random), 0) != (ssize_t)sizeof(ids->random))
			abort();
		ids->n_random = RANDOM;
	}
	return ids->random[--ids->n_random];
}

void ids_take(struct ids *ids, struct query *query)
{
	do
		query->id = next_random(ids);
	while (ids->queries[query->id % SLOTS]);
	ids->queries[query->id % SLOTS] = query;
	ids->n_used++;
}

void ids_drop(struct ids *ids, const struct query *query)
{
	ids->queries[query->id % SLOTS] = NULL;
	ids->n_used--;
}

unsigned ids_used(const struct ids *ids)
{
	return ids->n_used;
}

struct query *ids_match(
	const struct ids *ids, const uint8_t *message, const struct dns_message *parsed)
{
	struct query *query = ids->queries[parsed->id % SLOTS];

	if (!query || query->id != parsed->id || !parsed->response ||
		parsed->question_length != query->question_length ||
		!dns_same_question(
			message + DNS_HEADER_SIZE, query->message + DNS_HEADER_SIZE, query->question_length))
		return NULL;
	return query;
}
