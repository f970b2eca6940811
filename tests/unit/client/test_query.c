#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "client-helper/histogram.h"
#include "client-helper/ids.h"
#include "client-helper/query.h"
#include "dns_messages.h"

static void test_pool_is_bounded(void **state)
{
	static struct query *queries[LIMIT_QUERIES];
	struct query_pool *pool;

	assert_int_equal(query_pool_new(&pool), 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < LIMIT_QUERIES; i++) {
			queries[i] = query_pool_get(pool);
			assert_non_null(queries[i]);
			assert_int_equal(queries[i]->tried, 0);
			queries[i]->tried = 1;
		}
		assert_null(query_pool_get(pool));
		assert_int_equal(query_pool_used(pool), LIMIT_QUERIES);
		for (size_t i = 0; i < LIMIT_QUERIES; i++)
			query_pool_put(pool, queries[i]);
		assert_int_equal(query_pool_used(pool), 0);
	}
	query_pool_free(pool);
}

static void test_lists(void **state)
{
	struct query queries[3] = {0};
	struct query_list a = {0}, b = {0};

	for (size_t i = 0; i < 3; i++)
		query_list_append(&a, &queries[i]);
	query_list_remove(&a, &queries[1]);
	assert_int_equal(a.n, 2);
	query_list_append(&b, &queries[1]);
	query_list_move(&a, &b);
	assert_null(a.first);
	assert_null(a.last);
	assert_int_equal(b.n, 3);
	assert_ptr_equal(query_list_pop(&b), &queries[1]);
	assert_ptr_equal(query_list_pop(&b), &queries[0]);
	assert_ptr_equal(query_list_pop(&b), &queries[2]);
	assert_null(query_list_pop(&b));
}

static void fill(struct query *query, const char *name)
{
	struct message message = query_for(0, name);

	memcpy(query->message, message.data, message.length);
	query->length = message.length;
	query->question_length = strlen(name) + 2 + 4;
}

static struct query *match(struct ids *ids, uint16_t id, uint16_t flags, const char *name)
{
	struct message message;
	struct dns_message parsed;

	put_header(&message, id, flags, 0, 0);
	put_question(&message, name, 1);
	assert_int_equal(dns_read(message.data, message.length, &parsed), 0);
	return ids_match(ids, message.data, &parsed);
}

/* An answer is matched by id and question, and must be one. */
static void test_ids_match(void **state)
{
	struct query query = {0};
	struct ids *ids;
	uint16_t id;

	fill(&query, "www.corp.example");
	assert_int_equal(ids_new(&ids), 0);
	assert_int_equal(ids_used(ids), 0);
	ids_take(ids, &query);
	id = query.id;
	assert_int_equal(ids_used(ids), 1);
	assert_ptr_equal(match(ids, id, 0x8180, "www.corp.example"), &query);
	assert_ptr_equal(match(ids, id, 0x8180, "WWW.CORP.EXAMPLE"), &query);
	for (unsigned bit = 0; bit < 16; bit++)
		assert_null(match(ids, id ^ (1 << bit), 0x8180, "www.corp.example"));
	assert_null(match(ids, id, 0x8180, "wwx.corp.example"));
	assert_null(match(ids, id, 0x8180, "www.corp.example.test"));
	assert_null(match(ids, id, 0x0180, "www.corp.example"));
	ids_drop(ids, &query);
	assert_int_equal(ids_used(ids), 0);
	assert_null(match(ids, id, 0x8180, "www.corp.example"));
	ids_free(ids);
}

static void test_ids_are_distinct_and_spread(void **state)
{
	static struct query queries[LIMIT_QUERIES];
	static bool seen[UINT16_MAX + 1];
	unsigned successive = 0;
	uint16_t last = 0;
	struct ids *ids;

	assert_int_equal(ids_new(&ids), 0);
	for (size_t i = 0; i < LIMIT_QUERIES; i++) {
		uint16_t id;

		ids_take(ids, &queries[i]);
		id = queries[i].id;
		assert_false(seen[id]);
		seen[id] = true;
		successive += id == (uint16_t)(last + 1);
		last = id;
	}
	/* Random ones follow each other once in 65,536 times. */
	assert_true(successive < 16);
	ids_free(ids);
}

static void test_histogram(void **state)
{
	struct histogram histogram = {0};

	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	for (unsigned i = 1; i <= 1000; i++)
		histogram_add(&histogram, i * 100);
	assert_true(histogram_quantile(&histogram, 500) >= 50000 * 0.91 &&
		histogram_quantile(&histogram, 500) <= 50000 * 1.09);
	assert_true(histogram_quantile(&histogram, 990) >= 99000 * 0.91 &&
		histogram_quantile(&histogram, 990) <= 99000 * 1.09);
	histogram_add(&histogram, UINT64_MAX);
	for (unsigned i = 0; i < 20; i++)
		histogram_add(&histogram, i);
	assert_true(histogram_quantile(&histogram, 1000) > 60000000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_is_bounded),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_ids_match),
		cmocka_unit_test(test_ids_are_distinct_and_spread),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
