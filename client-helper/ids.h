/*
 * The queries of one connection by the id that they carry upstream. Ids are random (RFC 5452), and
 * an answer finds its query with one look: no two ids in use share their place in the table.
 */
#pragma once

#include "dns.h"
#include "query.h"

struct ids;

int ids_new(struct ids **ret);
struct ids *ids_free(struct ids *ids);

/* Gives the query a free random id. There always is one for LIMIT_QUERIES. */
void ids_take(struct ids *ids, struct query *query);

void ids_drop(struct ids *ids, const struct query *query);
unsigned ids_used(const struct ids *ids);

/* The query that a message answers, by id and question, or NULL. parsed is what dns_read said of
 * it. */
struct query *ids_match(
	const struct ids *ids, const uint8_t *message, const struct dns_message *parsed);
