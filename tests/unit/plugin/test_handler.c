#include "support.h"
#include "encdns_handler.h"

#include <stdio.h>

/**
 * What a laptop's section of these options asks for, as text; to be freed.
 */
static char *asked(const char *options, const char *vip4, const char *vip6)
{
	encdns_report_t *report = encdns_report_create();
	linked_list_t *vips = linked_list_create(), *attributes;
	encdns_config_t *config;
	char text[512], *result;

	snprintf(text, sizeof(text), "encrypted-dns {\n laptop {\n%s\n }\n}\n", options);
	config = encdns_config_load(write_file("swanctl.conf", text), report);
	assert_non_null(config);
	if (vip4)
	{
		vips->insert_last(vips, host_create_from_string((char*)vip4, 0));
	}
	if (vip6)
	{
		vips->insert_last(vips, host_create_from_string((char*)vip6, 0));
	}
	attributes = encdns_handler_ask(config->get_laptop(config, "any", TRUE), vips);
	result = text_of(attributes);
	encdns_attributes_destroy(attributes);
	vips->destroy_offset(vips, offsetof(host_t, destroy));
	config->destroy(config);
	report->destroy(report);
	return result;
}

static void assert_asks(const char *options, const char *vip4, const char *vip6,
						const char *expected)
{
	char *text = asked(options, vip4, vip6);

	assert_string_equal(text, expected);
	free(text);
}

/* I1, I2, I3 */
static void test_families(void **state)
{
	assert_asks("", "0.0.0.0", NULL, "27: 29:0300000400030002 25: 3:");
	assert_asks("", NULL, "::", "28: 29:0300000400030002 25: 10:");
	assert_asks("", "0.0.0.0", "::", "27: 28: 29:0300000400030002 25: 3: 10:");
	assert_asks("request = ipv6", "0.0.0.0", NULL, "28: 29:0300000400030002 25: 10:");
	assert_asks("request = both", "0.0.0.0", NULL,
				"27: 28: 29:0300000400030002 25: 3: 10:");
}

/* I2 */
static void test_algorithms(void **state)
{
	assert_asks("hash-algorithms = sha256", "0.0.0.0", NULL, "27: 29:01000002 25: 3:");
}

/* I3 */
static void test_suggested_domains(void **state)
{
	assert_asks("request-domains = a.test, B.test.", "0.0.0.0", NULL,
				"27: 29:0300000400030002 25:612e74657374 25:622e74657374 3:");
}

/* I5: each part, and any mix; of another family it is none */
static void test_suggested_resolvers(void **state)
{
	assert_asks("suggestions { a { addresses = 10.20.0.53 } }", "0.0.0.0", "::",
				"27:000101000a140035 28: 29:0300000400030002 25: 3: 10:");
	assert_asks("suggestions { a { adn = A.test } }", "0.0.0.0", "::",
				"27:00010006612e74657374 28:00010006612e74657374 29:0300000400030002 "
				"25: 3: 10:");
	assert_asks("suggestions { a { alpn = dot, h2 } }", "0.0.0.0", NULL,
				"27:0001000000010007" "03646f74" "026832 29:0300000400030002 25: 3:");
	assert_asks("suggestions {\n a { adn = a.test\n alpn = dot\n"
				"addresses = 10.0.0.1, 2001:db8::1 }\n b { alpn = h2\n priority = 7 } }",
				NULL, "::",
				"28:00010106" "20010db8000000000000000000000001" "612e74657374"
				"0001000403646f74 28:00070000" "00010003026832 29:0300000400030002 25: 10:");
}

/* I32 */
static void test_internal_enc_dns(void **state)
{
	assert_asks("internal-enc-dns = 16400", "0.0.0.0", NULL,
				"27: 16400:01 16400:02 29:0300000400030002 25: 3:");
}

/* I4 */
static void test_trust_anchors(void **state)
{
	assert_asks("", "0.0.0.0", NULL, "27: 29:0300000400030002 25: 3:");
	assert_asks("accept-trust-anchors = a.test", "0.0.0.0", NULL,
				"27: 29:0300000400030002 25: 3: 26:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_suggested_domains),
		cmocka_unit_test(test_suggested_resolvers),
		cmocka_unit_test(test_internal_enc_dns),
		cmocka_unit_test(test_trust_anchors),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
