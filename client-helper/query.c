#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 };

struct query_pool {
	struct query *chunks[LIMIT_QUERIES / CHUNK];
	unsigned n_chunks, used;
	struct query *spare; /* linked by next; what was used last is used next, while it is warm */
};

int query_pool_new(struct query_pool **ret)
{
	struct query_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	*ret = pool;
	return 0;
}

struct query_pool *query_pool_free(struct query_pool *pool)
{
	if (pool)
		for (unsigned i = 0; i < pool->n_chunks; i++)
			free(pool->chunks[i]);
	free(pool);
	return NULL;
}

static void grow(struct query_pool *pool)
{
	struct query *chunk;

	if (pool->n_chunks == LIMIT_QUERIES / CHUNK)
		return;
	chunk = calloc(CHUNK, sizeof(*chunk));
	if (!chunk)
		return;
	pool->chunks[pool->n_chunks++] = chunk;
	for (unsigned i = CHUNK; i-- > 0;) {
		chunk[i].next = pool->spare;
		pool->spare = &chunk[i];
	}
}

struct query *query_pool_get(struct query_pool *pool)
{
	struct query *query;

	if (!pool->spare)
		grow(pool);
	query = pool->spare;
	if (!query)
		return NULL;
	pool->spare = query->next;
	pool->used++;
	memset(query, 0, offsetof(struct query, message));
	return query;
}

void query_pool_put(struct query_pool *pool, struct query *query)
{
	query->next = pool->spare;
	pool->spare = query;
	pool->used--;
}

unsigned query_pool_used(const struct query_pool *pool)
{
	return pool->used;
}

void query_list_append(struct query_list *list, struct query *query)
{
	query->next = NULL;
	query->previous = list->last;
	if (list->last)
		list->last->next = query;
	else
		list->first = query;
	list->last = query;
	list->n++;
}

void query_list_remove(struct query_list *list, struct query *query)
{
	if (query->previous)
		query->previous->next = query->next;
	else
		list->first = query->next;
	if (query->next)
		query->next->previous = query->previous;
	else
		list->last = query->previous;
	query->next = query->previous = NULL;
	list->n--;
}

struct query *query_list_pop(struct query_list *list)
{
	struct query *query = list->first;

	if (query)
		query_list_remove(list, query);
	return query;
}

void query_list_move(struct query_list *from, struct query_list *to)
{
	struct query *query;

	while ((query = query_list_pop(from)))
		query_list_append(to, query);
}
