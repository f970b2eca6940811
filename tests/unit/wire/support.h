/*
 * What the codec's tests share: exact copies, so that AddressSanitizer and valgrind see an octet
 * read too far; random values with a seed that is printed and can be given again; comparisons.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/bounds.h"
#include "wire/svcparams.h"

#define RANDOM_ROUNDS 2000

#define OCTETS(...) span_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A span of a string literal without its NUL; NULs within it count. */
#define TEXT(literal) ((struct span){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* A heap block of just that size. Free with copy_free(). */
struct span copy_exactly(struct span value);
void copy_free(struct span copy);

/* For cmocka's group setup: seeds from WIRE_TEST_SEED or the clock, and prints the seed. */
int random_setup(void **state);
uint32_t random_below(uint32_t limit);
void random_octets(uint8_t *data, size_t len);

/* A host name or domain without a trailing dot; its length. */
size_t random_name(char name[NAME_SIZE], bool underscores);

/* Points into memory, which has to live as long. */
struct svcparams_memory {
	uint8_t alpn[SVCPARAMS_ALPN_MAX][SVCPARAMS_ALPN_ID_MAX];
	uint8_t other[SVCPARAMS_OTHER_MAX][64];
};
void random_svcparams(struct svcparams *ret, struct svcparams_memory *memory);

void assert_span_equal(struct span a, struct span b);
void assert_svcparams_equal(const struct svcparams *a, const struct svcparams *b);

/* -EBADMSG (or -EINVAL) and just this reason. */
#define assert_refused(call, expected)                                                             \
	do {                                                                                           \
		const char *why = NULL;                                                                    \
		assert_int_equal(call, -EBADMSG);                                                          \
		assert_non_null(why);                                                                      \
		assert_string_equal(why, expected);                                                        \
	} while (0)
#define assert_not_sent(call, expected)                                                            \
	do {                                                                                           \
		const char *why = NULL;                                                                    \
		assert_int_equal(call, -EINVAL);                                                           \
		assert_non_null(why);                                                                      \
		assert_string_equal(why, expected);                                                        \
	} while (0)
