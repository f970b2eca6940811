/*
 * The queries of one connection by the id that they carry upstream: a table with a place for each
 * of the 65,536 ids, so that an answer finds its query with one look. Ids are random (RFC 5452).
 */
#pragma once

#include "dns.h"
#include "query.h"

struct ids;

int ids_new(struct ids **ret);
struct ids *ids_free(struct ids *ids);

/* Takes a free random id for the query. There always is one: LIMIT_QUERIES is far below 65,536. */
uint16_t ids_take(struct ids *ids, struct query *query);

void ids_drop(struct ids *ids, uint16_t id);

/* The query that a message answers, by id and question, or NULL. parsed is what dns_read said of
 * it. */
struct query *ids_match(
	const struct ids *ids, const uint8_t *message, const struct dns_message *parsed);
