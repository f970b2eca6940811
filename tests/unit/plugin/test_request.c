#include "support.h"
#include "encdns_bounds.h"
#include "encdns_request.h"

#include "wire/attribute.h"

/**
 * Add an attribute given in hex.
 */
static void add(encdns_request_t *request, uint16_t type, char *hex)
{
	chunk_t value = chunk_from_hex(chunk_from_str(hex), NULL);

	request->add(request, type, value);
	chunk_free(&value);
}

static void test_what_was_asked(void **state)
{
	encdns_request_t *request = encdns_request_create();

	assert_false(request->has(request, WIRE_ENCDNS_IP4));
	add(request, WIRE_ENCDNS_IP4, "");
	add(request, WIRE_ENCDNS_DIGEST_INFO, "020000020004");
	add(request, WIRE_INTERNAL_DNS_DOMAIN, "");
	assert_true(request->has(request, WIRE_ENCDNS_IP4));
	assert_false(request->has(request, WIRE_ENCDNS_IP6));
	assert_true(request->has(request, WIRE_INTERNAL_DNS_DOMAIN));
	assert_false(request->has(request, WIRE_INTERNAL_DNSSEC_TA));
	assert_true(request->has_algorithm(request, 2));
	assert_false(request->has_algorithm(request, 3));
	assert_true(request->has_algorithm(request, 4));
	request->destroy(request);
}

/* R10 */
static void test_malformed_is_ignored(void **state)
{
	encdns_request_t *request = encdns_request_create();

	add(request, WIRE_ENCDNS_IP4, "0001");
	add(request, WIRE_ENCDNS_DIGEST_INFO, "0300000200");
	add(request, WIRE_INTERNAL_DNS_DOMAIN, "2e2e");
	add(request, WIRE_INTERNAL_DNSSEC_TA, "00");
	add(request, WIRE_ENCDNS_IP6, "");
	assert_false(request->has(request, WIRE_ENCDNS_IP4));
	assert_false(request->has(request, WIRE_ENCDNS_DIGEST_INFO));
	assert_false(request->has(request, WIRE_INTERNAL_DNS_DOMAIN));
	assert_false(request->has(request, WIRE_INTERNAL_DNSSEC_TA));
	assert_false(request->has_algorithm(request, 2));
	assert_true(request->has(request, WIRE_ENCDNS_IP6));
	request->destroy(request);
}

/* R4 */
static void test_repeats(void **state)
{
	encdns_request_t *request = encdns_request_create();
	int i;

	for (i = 0; i <= ENCDNS_REPEATS_MAX; i++)
	{
		assert_false(request->is_flooding(request));
		add(request, WIRE_ENCDNS_IP4, "");
		add(request, WIRE_INTERNAL_DNS_DOMAIN, "636f72702e6578616d706c65");
	}
	assert_false(request->is_flooding(request));
	add(request, WIRE_ENCDNS_IP4, "");
	assert_true(request->is_flooding(request));
	request->destroy(request);
}

static void test_too_many_different_ones(void **state)
{
	encdns_request_t *request = encdns_request_create();
	uint8_t domain[] = "xx.example";
	int i;

	for (i = 0; i <= ENCDNS_ATTRIBUTES_MAX; i++)
	{
		assert_false(request->is_flooding(request));
		domain[0] = 'a' + i % 26;
		domain[1] = 'a' + i / 26;
		request->add(request, WIRE_INTERNAL_DNS_DOMAIN,
					 chunk_create(domain, sizeof(domain) - 1));
	}
	assert_true(request->is_flooding(request));
	request->destroy(request);
}

static void test_suggestions(void **state)
{
	encdns_request_t *request = encdns_request_create();
	enumerator_t *enumerator;
	struct encdns *suggestion;
	uint16_t type;

	add(request, WIRE_ENCDNS_IP4, "");
	/* priority 1, one address, no ADN */
	add(request, WIRE_ENCDNS_IP4, "000101000a140035");
	enumerator = request->create_suggestion_enumerator(request);
	assert_true(enumerator->enumerate(enumerator, &type, &suggestion));
	assert_int_equal(type, WIRE_ENCDNS_IP4);
	assert_int_equal(suggestion->addresses.len, 4);
	assert_false(enumerator->enumerate(enumerator, &type, &suggestion));
	enumerator->destroy(enumerator);
	request->destroy(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_asked),
		cmocka_unit_test(test_malformed_is_ignored),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_too_many_different_ones),
		cmocka_unit_test(test_suggestions),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
