#include "support.h"
#include "encdns_answer.h"
#include "encdns_config.h"

#include "wire/attribute.h"

#include <stdio.h>
#include <unistd.h>

/* "dns.corp.example", "doh.corp.example", "corp.example", "lab.corp.example" in hex */
#define DNS "646e732e636f72702e6578616d706c65"
#define DOH "646f682e636f72702e6578616d706c65"
#define CORP "636f72702e6578616d706c65"
#define LAB "6c61622e636f72702e6578616d706c65"

/* alpn = dot; alpn = h2 and dohpath */
#define ALPN_DOT "0001000403646f74"
#define ALPN_H2 "00010003026832" "00070010" "2f646e732d71756572797b3f646e737d"

#define DOT4 "27:00010110" "0a140035" DNS ALPN_DOT
#define DOT6 "28:00010110" "20010db8000000000000000000000053" DNS ALPN_DOT
#define DOH4 "27:00020110" "0a140036" DOH ALPN_H2

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "2222222222222222222222222222222222222222222222222222222222222222"

static const char dot[] =
"      dot {\n"
"        adn = dns.corp.example\n"
"        addresses = 10.20.0.53, 2001:db8::53\n"
"        alpn = dot\n"
"        pins = sha256:" ONES ", sha512:" TWOS TWOS "\n"
"      }\n";

static const char doh[] =
"      doh {\n"
"        adn = doh.corp.example\n"
"        addresses = 10.20.0.54\n"
"        alpn = h2\n"
"        dohpath = \"/dns-query{?dns}\"\n"
"        priority = 2\n"
"        pins = sha256:" TWOS "\n"
"      }\n";

static const char anchors[] =
"    domains = corp.example, lab.corp.example\n"
"    trust-anchors = corp.example 12345 8 1 00112233445566778899AABBCCDDEEFF00112233\n";

/**
 * The configuration with a section of these resolvers and options, twice if asked for.
 */
static encdns_config_t *configure(const char *options, const char *first,
								  const char *second, bool twice)
{
	encdns_report_t *report = encdns_report_create();
	encdns_config_t *config;
	char section[2048], text[4200];

	snprintf(section, sizeof(section), "%s    resolvers {\n%s%s    }\n  }\n",
			 options, first, second);
	snprintf(text, sizeof(text), "encrypted-dns {\n  a {\n%s%s%s}\n", section,
			 twice ? "  b {\n" : "", twice ? section : "");
	config = encdns_config_load(write_file("swanctl.conf", text), report);
	assert_non_null(config);
	report->destroy(report);
	return config;
}

/**
 * A request of attributes as text, "27: 29:01000002 25:".
 */
static encdns_request_t *ask(const char *attributes)
{
	encdns_request_t *request = encdns_request_create();
	enumerator_t *enumerator;
	char *attribute, *colon;
	chunk_t value;

	enumerator = enumerator_create_token(attributes, " ", "");
	while (enumerator->enumerate(enumerator, &attribute))
	{
		colon = strchr(attribute, ':');
		value = chunk_from_hex(chunk_from_str(colon + 1), NULL);
		request->add(request, atoi(attribute), value);
		chunk_free(&value);
	}
	enumerator->destroy(enumerator);
	return request;
}

/**
 * What a configuration has a request answered with; takes over the configuration.
 */
static void assert_answer(encdns_config_t *config, const char *attributes,
						  const char *expected)
{
	encdns_request_t *request = ask(attributes);
	linked_list_t *gateways, *answer;
	char *text;

	gateways = linked_list_create_from_enumerator(
								config->create_gateway_enumerator(config));
	answer = encdns_answer_create(request, gateways);
	text = text_of(answer);
	assert_string_equal(text, expected);
	free(text);
	encdns_attributes_destroy(answer);
	gateways->destroy(gateways);
	request->destroy(request);
	config->destroy(config);
}

/* R1 */
static void test_families(void **state)
{
	assert_answer(configure("", dot, doh, FALSE), "27:", DOT4 " " DOH4);
	assert_answer(configure("", dot, doh, FALSE), "28:", DOT6);
	assert_answer(configure("", dot, doh, FALSE), "27: 28:",
				  DOT4 " " DOT6 " " DOH4);
}

/* R1, R6: a client that knows nothing of RFC 9464 gets nothing */
static void test_not_asked(void **state)
{
	assert_answer(configure(anchors, dot, doh, FALSE), "", "");
	assert_answer(configure(anchors, dot, doh, FALSE), "25: 26: 29:01000002 3:", "");
	assert_answer(configure(anchors, "", doh, FALSE), "28: 25:", "");
}

/* R3: named with several ADNs, else not; pins as far as the client knows their algorithm */
static void test_digests(void **state)
{
	assert_answer(configure("", dot, "", FALSE), "27: 29:01000002",
				  DOT4 " 29:01000002" ONES);
	assert_answer(configure("", dot, "", FALSE), "27: 29:0200" "00020004",
				  DOT4 " 29:01000002" ONES " 29:01000004" TWOS TWOS);
	assert_answer(configure("", dot, doh, FALSE), "27: 29:01000002",
				  DOT4 " " DOH4 " 29:0110" DNS "0002" ONES " 29:0110" DOH "0002" TWOS);
}

/* R3: one per certificate, the strongest that both know */
static void test_strongest_digest(void **state)
{
	static const struct {
		const char *request, *begin;
		size_t length;
	} cases[] = {
		{ "27: 29:01000002", " 29:01000002", 64 },
		{ "27: 29:0300" "0002" "0004" "0003", " 29:01000004", 128 },
		{ "27: 29:0200" "0003" "0002", " 29:01000003", 96 },
		{ "27: 29:01000005", "", 0 },
		{ "27:", "", 0 },
	};
	char resolver[512], path[256];
	u_int i;

	assert_non_null(getcwd(path, sizeof(path)));
	snprintf(resolver, sizeof(resolver), "dot {\n adn = dns.corp.example\n addresses = 10.20.0.53\n "
			 "alpn = dot\n certificates = %s/dns.pem\n }\n", path);
	for (i = 0; i < countof(cases); i++)
	{
		encdns_config_t *config = configure("", resolver, "", FALSE);
		encdns_request_t *request = ask(cases[i].request);
		linked_list_t *gateways, *answer;
		char *text, *rest;

		gateways = linked_list_create_from_enumerator(
									config->create_gateway_enumerator(config));
		answer = encdns_answer_create(request, gateways);
		text = text_of(answer);
		rest = text + strlen(DOT4);
		assert_true(strpfx(text, DOT4) && strpfx(rest, cases[i].begin));
		assert_int_equal(strlen(rest), strlen(cases[i].begin) + cases[i].length);
		free(text);
		encdns_attributes_destroy(answer);
		gateways->destroy(gateways);
		request->destroy(request);
		config->destroy(config);
	}
}

/* R12 */
static void test_plain_dns_is_the_pools(void **state)
{
	assert_answer(configure("", dot, "", FALSE), "27: 3: 10:", DOT4);
}

/* R6, R7 */
static void test_domains(void **state)
{
	assert_answer(configure(anchors, dot, "", FALSE), "27: 25:",
				  DOT4 " 25:" CORP " 25:" LAB);
	assert_answer(configure(anchors, dot, "", FALSE), "27: 25: 26:",
				  DOT4 " 25:" CORP " 26:30390801"
				  "30303131323233333434353536363737383839394141424243434444454546463030313132323333"
				  " 25:" LAB);
	assert_answer(configure(anchors, dot, "", FALSE), "27: 26:", DOT4);
}

/* R9 */
static void test_all_that_match_without_duplicates(void **state)
{
	assert_answer(configure(anchors, dot, doh, TRUE), "27: 25:",
				  DOT4 " " DOH4 " 25:" CORP " 25:" LAB);
}

/* R5: an address, an ADN, a protocol */
static void test_suggestions_first(void **state)
{
	assert_answer(configure("", dot, doh, FALSE), "27: 27:000101000a140036",
				  DOH4 " " DOT4);
	assert_answer(configure("", dot, doh, FALSE), "27: 27:00010010" DOH,
				  DOH4 " " DOT4);
	assert_answer(configure("", dot, doh, FALSE), "27: 27:0001000000010003026832",
				  DOH4 " " DOT4);
	assert_answer(configure("", dot, doh, FALSE), "27: 27:000101000a140099",
				  DOT4 " " DOH4);
}

/* R4: the same once more, and once too often */
static void test_repeats(void **state)
{
	char text[512] = "27:";
	int i;

	assert_answer(configure("", dot, "", FALSE), "27: 27: 27:", DOT4);
	for (i = 0; i < 16; i++)
	{
		strcat(text, " 27:");
	}
	assert_answer(configure(anchors, dot, "", FALSE), text, DOT4);
	strcat(text, " 27: 25:");
	assert_answer(configure(anchors, dot, "", FALSE), text, "");
}

#define MAPPED "00000000000000000000ffff" "0a1400"
#define INTERNAL_DOT "16400:0102" MAPPED "35" "20010db8000000000000000000000053" DNS
#define INTERNAL_DOH "16400:0201" MAPPED "36" DOH

/* R11 */
static void test_internal_enc_dns(void **state)
{
	const char *options = "internal-enc-dns = 16400\n domains = corp.example\n";
	const char *outside =
		"      out {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.53, 2001:db8::53\n"
		"        alpn = dot\n"
		"        outside-tunnel = yes\n"
		"      }\n";
	const char *port =
		"      port {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.55\n"
		"        alpn = dot\n"
		"        port = 8853\n"
		"      }\n";

	assert_answer(configure(options, dot, doh, FALSE), "16400:01", INTERNAL_DOT);
	assert_answer(configure(options, dot, doh, FALSE), "16400:02 16400:01",
				  INTERNAL_DOT " " INTERNAL_DOH);
	/* one per type, also where two sections have resolvers of it */
	assert_answer(configure(options, dot, dot, TRUE), "16400:01 16400:02 25:",
				  INTERNAL_DOT " 25:" CORP);
	/* off, of another number, or malformed */
	assert_answer(configure("", dot, doh, FALSE), "16400:01 25:", "");
	assert_answer(configure(options, dot, doh, FALSE), "16401:01", "");
	assert_answer(configure(options, dot, doh, FALSE), "16400:03 16400:0100 16400:", "");
	/* it has no port */
	assert_answer(configure(options, port, "", FALSE), "16400:01", "");
	assert_answer(configure(options, outside, "", FALSE), "16400:01",
				  "16400:8102" MAPPED "35" "20010db8000000000000000000000053" DNS);
}

/**
 * Does a section with these criteria match a client of pool rw-v4, connection rw?
 */
static bool matches(const char *criteria, char *identity)
{
	encdns_config_t *config = configure(criteria, dot, "", FALSE);
	enumerator_t *enumerator = config->create_gateway_enumerator(config);
	identification_t *id = identification_create_from_string(identity);
	linked_list_t *pools = linked_list_create_with_items("other", "rw-v4", NULL);
	encdns_gateway_t *gateway;
	bool matches;

	assert_true(enumerator->enumerate(enumerator, &gateway));
	matches = encdns_answer_matches(gateway, pools, "rw", id);
	enumerator->destroy(enumerator);
	pools->destroy(pools);
	id->destroy(id);
	config->destroy(config);
	return matches;
}

/* R9 */
static void test_matches(void **state)
{
	assert_true(matches("", "alice@corp.example"));
	assert_true(matches("pools = rw-v4, rw-v6\n", "alice@corp.example"));
	assert_false(matches("pools = rw-v6\n", "alice@corp.example"));
	assert_true(matches("connections = rw\n", "alice@corp.example"));
	assert_false(matches("connections = site\n", "alice@corp.example"));
	assert_true(matches("identities = *@corp.example\n", "alice@corp.example"));
	assert_false(matches("identities = *@corp.example\n", "alice@branch.example"));
	assert_true(matches("identities = bob@x, alice@corp.example\n", "alice@corp.example"));
	assert_false(matches("pools = rw-v4\nconnections = site\n", "alice@corp.example"));
	assert_true(matches("pools = rw-v4\nconnections = rw\nidentities = *@corp.example\n",
						"alice@corp.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_strongest_digest),
		cmocka_unit_test(test_plain_dns_is_the_pools),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_all_that_match_without_duplicates),
		cmocka_unit_test(test_suggestions_first),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_internal_enc_dns),
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
