/*
 * See support.h.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t random_state;

struct span copy_exactly(struct span value)
{
	uint8_t *data = malloc(value.len);

	assert_true(data || value.len == 0);
	if (value.len > 0)
		memcpy(data, value.data, value.len);
	return span_of(data, value.len);
}

void copy_free(struct span copy)
{
	free((void *)copy.data);
}

int random_setup(void **state)
{
	const char *given = getenv("WIRE_TEST_SEED");
	unsigned long seed = given ? strtoul(given, NULL, 0) : (unsigned long)time(NULL);

	print_message("WIRE_TEST_SEED=%lu\n", seed);
	random_state = seed * 2 + 1;
	return 0;
}

/* Knuth's MMIX generator; the high bits are the random ones. */
static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 32);
}

uint32_t random_below(uint32_t limit)
{
	return random_next() % limit;
}

void random_octets(uint8_t *data, size_t len)
{
	while (len > 0)
		data[--len] = (uint8_t)random_next();
}

static size_t random_label(char *label, size_t size, bool underscores)
{
	static const char characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t i, len = 1 + random_below((uint32_t)(size < NAME_LABEL_MAX ? size : NAME_LABEL_MAX));

	for (i = 0; i < len; i++)
		label[i] = characters[random_below(underscores ? 64 : 63)];
	if (label[0] == '-')
		label[0] = 'x';
	if (label[len - 1] == '-')
		label[len - 1] = 'x';
	return len;
}

size_t random_name(char name[NAME_SIZE], bool underscores)
{
	size_t len = 0, labels = random_below(6);

	while (labels-- > 0 && len + 10 < NAME_LENGTH_MAX) {
		len += random_label(name + len, NAME_LENGTH_MAX - len - 5, underscores);
		name[len++] = '.';
	}
	memcpy(name + len, "test", sizeof("test"));
	return len + strlen("test");
}

/* A URI template of at least 7 octets. */
static struct span random_dohpath(void)
{
	static const char *const templates[] = {
		"/{?dns}",
		"/dns-query{?dns}",
		"/q{/who}{?a,dns*}",
		"/\xc3\xbc%20x{?dns}",
	};

	return span_from_string(templates[random_below(4)]);
}

void random_svcparams(struct svcparams *ret, struct svcparams_memory *memory)
{
	struct svcparams params = {0};
	size_t i, len;
	uint16_t key = 7;

	if (random_below(3) > 0)
		params.n_alpn = 1 + random_below(SVCPARAMS_ALPN_MAX);
	for (i = 0; i < params.n_alpn; i++) {
		len = 1 + random_below(SVCPARAMS_ALPN_ID_MAX);
		random_octets(memory->alpn[i], len);
		params.alpn[i] = span_of(memory->alpn[i], len);
	}
	params.no_default_alpn = params.n_alpn > 0 && random_below(2);
	params.has_port = random_below(2);
	params.port = params.has_port ? (uint16_t)(1 + random_below(65535)) : 0;
	params.has_dohpath = random_below(2);
	if (params.has_dohpath)
		params.dohpath = random_dohpath();

	params.n_other = random_below(SVCPARAMS_OTHER_MAX + 1);
	for (i = 0; i < params.n_other; i++) {
		len = random_below(sizeof(memory->other[i]) + 1);
		random_octets(memory->other[i], len);
		params.other[i].value = span_of(memory->other[i], len);
		key = (uint16_t)(key + 1 + random_below(4000));
		params.other[i].key = i == 0 && random_below(2) ? SVCPARAM_ECH : key;
	}

	if (params.n_alpn > 0 && random_below(2))
		params.mandatory[params.n_mandatory++] = SVCPARAM_ALPN;
	if (params.has_port && random_below(2))
		params.mandatory[params.n_mandatory++] = SVCPARAM_PORT;
	if (params.has_dohpath && random_below(2))
		params.mandatory[params.n_mandatory++] = SVCPARAM_DOHPATH;
	*ret = params;
}

void assert_span_equal(struct span a, struct span b)
{
	assert_int_equal(a.len, b.len);
	if (a.len > 0)
		assert_memory_equal(a.data, b.data, a.len);
}

void assert_svcparams_equal(const struct svcparams *a, const struct svcparams *b)
{
	size_t i;

	assert_int_equal(a->n_mandatory, b->n_mandatory);
	for (i = 0; i < a->n_mandatory; i++)
		assert_int_equal(a->mandatory[i], b->mandatory[i]);
	assert_int_equal(a->n_alpn, b->n_alpn);
	for (i = 0; i < a->n_alpn; i++)
		assert_span_equal(a->alpn[i], b->alpn[i]);
	assert_int_equal(a->no_default_alpn, b->no_default_alpn);
	assert_int_equal(a->has_port, b->has_port);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->has_dohpath, b->has_dohpath);
	assert_span_equal(a->dohpath, b->dohpath);
	assert_int_equal(a->n_other, b->n_other);
	for (i = 0; i < a->n_other; i++) {
		assert_int_equal(a->other[i].key, b->other[i].key);
		assert_span_equal(a->other[i].value, b->other[i].value);
	}
}
