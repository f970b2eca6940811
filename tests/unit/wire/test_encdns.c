#include "support.h"

#include <errno.h>
#include <string.h>
#include "wire/encdns.h"

/* RFC 9464, appendix A: 2001:db8:99:88:77:66:55:44, doh.example.com. */
#define ADDRESS6                                                                                   \
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x99, 0x00, 0x88, 0x00, 0x77, 0x00, 0x66, 0x00, 0x55, 0x00, 0x44
#define ADN 'd', 'o', 'h', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.', 'c', 'o', 'm'
#define ALPN_H2 0x00, 0x01, 0x00, 0x03, 0x02, 'h', '2'
#define ALPN_DOT 0x00, 0x01, 0x00, 0x04, 0x03, 'd', 'o', 't'
#define DOHPATH                                                                                    \
	0x00, 0x07, 0x00, 0x10, '/', 'd', 'n', 's', '-', 'q', 'u', 'e', 'r', 'y', '{', '?', 'd', 'n',  \
		's', '}'

#define FIGURE_6 0, 1, 1, 15, ADDRESS6, ADN, ALPN_H2, DOHPATH /* and figure 11 */
#define FIGURE_7 0, 1, 1, 0, ADDRESS6
#define FIGURE_8 0, 1, 0, 15, ADN
#define FIGURE_9 0, 1, 0, 0, ALPN_DOT

#define REPLY_IP4 0, 2, 2, 15, 192, 0, 2, 1, 192, 0, 2, 2, ADN, ALPN_DOT

static int decode(uint16_t type, enum wire_message message, struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct encdns encdns;
	int r = encdns_decode(type, message, copy, &encdns, ret_why);

	copy_free(copy);
	return r;
}

static void assert_same_again(uint16_t type, enum wire_message message, struct span value)
{
	static uint8_t data[16384];
	struct encdns encdns;
	size_t len;

	assert_int_equal(encdns_decode(type, message, value, &encdns, NULL), 0);
	assert_int_equal(encdns_encode(type, message, &encdns, data, sizeof(data), &len, NULL), 0);
	assert_span_equal(span_of(data, len), value);
}

static void test_a1_request_without_suggestion(void **state)
{
	struct encdns encdns;

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP6, WIRE_REQUEST, (struct span){0}, &encdns, NULL), 0);
	assert_true(encdns.empty);
	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REQUEST, (struct span){0});
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REQUEST, (struct span){0});
	assert_refused(decode(WIRE_ENCDNS_IP6, WIRE_REPLY, (struct span){0}, &why),
		"the value is shorter than 4 octets");
}

static void test_a1_reply(void **state)
{
	struct encdns encdns;

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_6), &encdns, NULL), 0);
	assert_false(encdns.empty);
	assert_int_equal(encdns.priority, 1);
	assert_span_equal(encdns.addresses, OCTETS(ADDRESS6));
	assert_span_equal(encdns.adn, TEXT("doh.example.com"));
	assert_int_equal(encdns.params.n_alpn, 1);
	assert_true(svcparams_has_alpn(&encdns.params, "h2"));
	assert_span_equal(encdns.params.dohpath, TEXT("/dns-query{?dns}"));
	assert_false(encdns.params.has_port);
	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_6));
}

static void test_a2_suggestions(void **state)
{
	struct encdns encdns;

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_7), &encdns, NULL), 0);
	assert_span_equal(encdns.addresses, OCTETS(ADDRESS6));
	assert_int_equal(encdns.adn.len, 0);
	assert_int_equal(encdns.params.n_alpn, 0);
	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_7));

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_8), &encdns, NULL), 0);
	assert_int_equal(encdns.addresses.len, 0);
	assert_span_equal(encdns.adn, TEXT("doh.example.com"));
	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_8));

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_9), &encdns, NULL), 0);
	assert_int_equal(encdns.addresses.len, 0);
	assert_int_equal(encdns.adn.len, 0);
	assert_true(svcparams_has_alpn(&encdns.params, "dot"));
	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_9));

	assert_same_again(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_6));
}

static void test_a2_suggestions_are_no_replies(void **state)
{
	assert_refused(decode(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_7), &why), "there is no ADN");
	assert_refused(
		decode(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_8), &why), "there is no address");
	assert_refused(
		decode(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_9), &why), "there is no address");
}

static void test_two_ipv4_addresses(void **state)
{
	struct encdns encdns;

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(REPLY_IP4), &encdns, NULL), 0);
	assert_int_equal(encdns.priority, 2);
	assert_span_equal(encdns.addresses, OCTETS(192, 0, 2, 1, 192, 0, 2, 2));
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(REPLY_IP4));
	/* As ENCDNS_IP6 its lengths don't add up. */
	assert_refused(
		decode(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(REPLY_IP4), &why), "the addresses are cut off");
}

static void test_trailing_dot_is_not_kept(void **state)
{
	uint8_t data[64];
	struct encdns encdns;
	size_t len;

	assert_int_equal(encdns_decode(WIRE_ENCDNS_IP4, WIRE_REPLY,
						 OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 'a', '.'), &encdns, NULL),
		0);
	assert_span_equal(encdns.adn, TEXT("a"));
	encdns.adn = TEXT("a.");
	assert_int_equal(
		encdns_encode(WIRE_ENCDNS_IP4, WIRE_REPLY, &encdns, data, sizeof(data), &len, NULL), 0);
	assert_span_equal(span_of(data, len), OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a'));
}

/* I7, R10: what both directions refuse. */
static void test_refusals_have_their_reason(void **state)
{
	const struct {
		struct span value;
		const char *why;
	} cases[] = {
		{OCTETS(0, 0, 1, 1, 192, 0, 2, 1, 'a'), "the service priority is 0"},
		{OCTETS(0, 1, 1), "the value is shorter than 4 octets"},
		{OCTETS(0, 1, 2, 1, 192, 0, 2, 1, 'a'), "the addresses are cut off"},
		{OCTETS(0, 1, 255, 1, 192, 0, 2, 1, 'a'), "the addresses are cut off"},
		{OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 'a'), "the ADN is cut off"},
		{OCTETS(0, 1, 1, 255, 192, 0, 2, 1, 'a'), "the ADN is cut off"},
		{OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 'a', 0), "the ADN holds a control character"},
		{OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 'a', '\r'), "the ADN holds a control character"},
		{OCTETS(0, 1, 1, 3, 192, 0, 2, 1, 'a', 1, 'b'), "the ADN holds a control character"},
		{OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 0xc3, 0xbc), "the ADN is not in A-labels"},
		{OCTETS(0, 1, 1, 2, 192, 0, 2, 1, 'a', '_'), "the ADN holds an underscore"},
		{OCTETS(0, 1, 1, 3, 192, 0, 2, 1, 'a', ' ', 'b'),
			"the ADN holds a character that names don't have"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, '.'), "the ADN is the root"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0), "the last SvcParam is cut off"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0, 1, 0, 4, 3, 'd', 'o'),
			"the last SvcParam's value is cut off"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0, 3, 0, 2, 3, 85, ALPN_DOT),
			"the SvcParams are not in ascending order of keys"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', ALPN_DOT, ALPN_DOT), "a SvcParam is there twice"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0, 4, 0, 4, 192, 0, 2, 1),
			"the SvcParam ipv4hint is not allowed here"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0, 6, 0, 0),
			"the SvcParam ipv6hint is not allowed here"},
		{OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', 0, 0, 0, 2, 0, 99, 0, 99, 0, 0),
			"a SvcParam with an unknown key is mandatory"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(decode(WIRE_ENCDNS_IP4, WIRE_REPLY, cases[i].value, &why), cases[i].why);
		assert_refused(decode(WIRE_ENCDNS_IP4, WIRE_REQUEST, cases[i].value, &why), cases[i].why);
	}
}

/* I8, I9: no fault of the format. */
static void test_accepted_though_perhaps_unusable(void **state)
{
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a'));
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(0, 1, 1, 1, 192, 0, 2, 1, 'a', ALPN_H2));
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REPLY,
		OCTETS(0xff, 0xff, 1, 1, 192, 0, 2, 1, 'a', 0, 1, 0, 4, 3, 'd', 'o', 'q', 0, 99, 0, 1, 7));
	/* A suggestion of nothing in particular. */
	assert_same_again(WIRE_ENCDNS_IP4, WIRE_REQUEST, OCTETS(0, 1, 0, 0));
}

static void test_other_attributes(void **state)
{
	struct encdns encdns = {.empty = true};
	uint8_t data[8];
	size_t len;

	assert_refused(decode(WIRE_ENCDNS_DIGEST_INFO, WIRE_REPLY, OCTETS(REPLY_IP4), &why),
		"the attribute is neither ENCDNS_IP4 nor ENCDNS_IP6");
	assert_refused(decode(WIRE_INTERNAL_IP4_DNS, WIRE_REQUEST, (struct span){0}, &why),
		"the attribute is neither ENCDNS_IP4 nor ENCDNS_IP6");
	assert_not_sent(
		encdns_encode(WIRE_INTERNAL_IP4_DNS, WIRE_REQUEST, &encdns, data, sizeof(data), &len, &why),
		"the attribute is neither ENCDNS_IP4 nor ENCDNS_IP6");
}

/*
 * Accepted where a SvcParam ends; for a suggestion also where there is nothing. An attribute that
 * is cut elsewhere doesn't add up.
 */
static void sweep(
	uint16_t type, enum wire_message message, struct span value, const size_t *accepted)
{
	const char *why;
	size_t len;

	for (len = 0; len <= value.len; len++) {
		why = NULL;
		if (len == *accepted) {
			assert_int_equal(decode(type, message, span_of(value.data, len), &why), 0);
			assert_null(why);
			accepted++;
		} else {
			assert_int_equal(decode(type, message, span_of(value.data, len), &why), -EBADMSG);
			assert_non_null(why);
		}
	}
	assert_int_equal(*accepted, SIZE_MAX);
}

static void test_every_truncation(void **state)
{
	sweep(WIRE_ENCDNS_IP6, WIRE_REPLY, OCTETS(FIGURE_6), (size_t[]){35, 42, 62, SIZE_MAX});
	sweep(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_6), (size_t[]){0, 35, 42, 62, SIZE_MAX});
	sweep(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_7), (size_t[]){0, 20, SIZE_MAX});
	sweep(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_8), (size_t[]){0, 19, SIZE_MAX});
	sweep(WIRE_ENCDNS_IP6, WIRE_REQUEST, OCTETS(FIGURE_9), (size_t[]){0, 4, 12, SIZE_MAX});
	sweep(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(REPLY_IP4), (size_t[]){27, 35, SIZE_MAX});
}

static void test_ret_stays_on_failure(void **state)
{
	struct encdns encdns = {.priority = 7};
	struct span adn = TEXT("as it was");

	assert_int_equal(
		encdns_decode(WIRE_ENCDNS_IP4, WIRE_REPLY, OCTETS(FIGURE_6), &encdns, NULL), -EBADMSG);
	assert_int_equal(encdns.priority, 7);
	assert_int_equal(
		encdns_find_adn(WIRE_ENCDNS_IP4, OCTETS(0, 1, 1, 0, 1, 2, 3, 4), &adn), -EBADMSG);
	assert_span_equal(adn, TEXT("as it was"));
}

/* I11: entries that are refused count too. */
static void test_find_adn_in_what_is_refused(void **state)
{
	struct span adn;

	assert_int_equal(encdns_find_adn(WIRE_ENCDNS_IP6, OCTETS(FIGURE_6), &adn), 0);
	assert_span_equal(adn, TEXT("doh.example.com"));
	assert_int_equal(
		encdns_find_adn(WIRE_ENCDNS_IP4, OCTETS(0, 0, 0, 2, 'a', '.', 0, 4, 0, 9), &adn), 0);
	assert_span_equal(adn, TEXT("a"));
	assert_int_equal(encdns_find_adn(WIRE_ENCDNS_IP4, OCTETS(0, 1, 0, 2, 'a', 0), &adn), -EBADMSG);
	assert_int_equal(encdns_find_adn(WIRE_ENCDNS_IP4, OCTETS(0, 1, 0, 2, 'a'), &adn), -EBADMSG);
	assert_int_equal(encdns_find_adn(WIRE_ENCDNS_IP4, OCTETS(0, 1, 0, 0), &adn), -EBADMSG);
	assert_int_equal(encdns_find_adn(25, OCTETS(FIGURE_6), &adn), -EBADMSG);
}

static int encode(enum wire_message message, const struct encdns *encdns, const char **ret_why)
{
	static uint8_t data[2 * WIRE_VALUE_MAX];
	size_t len = 99;
	int r = encdns_encode(WIRE_ENCDNS_IP4, message, encdns, data, sizeof(data), &len, ret_why);

	if (r < 0)
		assert_int_equal(len, 99);
	return r;
}

static void test_encode_sends_nothing_that_is_refused(void **state)
{
	static uint8_t large[65535];
	struct encdns good = {
		.priority = 1,
		.addresses = TEXT("\xc0\x00\x02\x01"),
		.adn = TEXT("dns.example"),
	};
	struct encdns bad = good;

	assert_int_equal(encode(WIRE_REPLY, &good, NULL), 0);
	bad.priority = 0;
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the service priority is 0");
	bad = good;
	bad.addresses.len = 3;
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "an address is cut off");
	bad.addresses.len = 0;
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "there is no address");
	assert_int_equal(encode(WIRE_REQUEST, &bad, NULL), 0);
	bad.addresses = span_of(large, 4 * (ENCDNS_ADDRESSES_MAX + 1));
	assert_not_sent(
		encode(WIRE_REPLY, &bad, &why), "there are too many addresses, or the ADN is too long");
	bad.addresses = span_of(large, 4 * ENCDNS_ADDRESSES_MAX);
	assert_int_equal(encode(WIRE_REPLY, &bad, NULL), 0);
	bad = good;
	bad.adn = span_of(large, 256);
	assert_not_sent(
		encode(WIRE_REPLY, &bad, &why), "there are too many addresses, or the ADN is too long");
	bad.adn = TEXT("dns_example");
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the ADN holds an underscore");
	bad.adn = TEXT("");
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "there is no ADN");
	assert_int_equal(encode(WIRE_REQUEST, &bad, NULL), 0);
	bad = good;
	bad.params.has_port = true;
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the SvcParam port is 0");
	bad = good;
	bad.params.n_other = 1;
	bad.params.other[0] = (struct svcparam){667, span_of(large, sizeof(large))};
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the value is longer than 65535 octets");
	/* 4 octets, an address, the name, and the SvcParam's own 4 */
	bad.params.other[0].value.len = WIRE_VALUE_MAX - 4 - 4 - good.adn.len - 4;
	assert_int_equal(encode(WIRE_REPLY, &bad, NULL), 0);
	bad.params.other[0].value.len++;
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the value is longer than 65535 octets");
	bad = (struct encdns){.empty = true};
	assert_not_sent(encode(WIRE_REPLY, &bad, &why), "the value is shorter than 4 octets");
}

static void test_encode_into_too_little_room(void **state)
{
	struct span value = OCTETS(FIGURE_6);
	struct encdns encdns;
	uint8_t data[64];
	size_t size, len;

	assert_int_equal(encdns_decode(WIRE_ENCDNS_IP6, WIRE_REPLY, value, &encdns, NULL), 0);
	for (size = 0; size < value.len; size++) {
		struct span room = copy_exactly(span_of(data, size));

		assert_int_equal(encdns_encode(WIRE_ENCDNS_IP6, WIRE_REPLY, &encdns, (uint8_t *)room.data,
							 size, &len, NULL),
			-ENOBUFS);
		copy_free(room);
	}
	assert_int_equal(
		encdns_encode(WIRE_ENCDNS_IP6, WIRE_REPLY, &encdns, data, value.len, &len, NULL), 0);
}

/* Any one octet changed: refused, or something that encodes to itself again. */
static void test_every_octet_changed(void **state)
{
	struct span value = copy_exactly(OCTETS(FIGURE_6));
	uint8_t *data = (uint8_t *)value.data;
	int c, accepted = 0;
	uint8_t was;
	size_t i;

	for (i = 0; i < value.len; i++) {
		was = data[i];
		for (c = 0; c < 256; c++) {
			data[i] = (uint8_t)c;
			if (decode(WIRE_ENCDNS_IP6, WIRE_REPLY, value, NULL) < 0)
				continue;
			accepted++;
			/* A name that ends in a dot comes back without. */
			if (i != 34 || c != '.')
				assert_same_again(WIRE_ENCDNS_IP6, WIRE_REPLY, value);
		}
		data[i] = was;
	}
	assert_true(accepted > 0);
	copy_free(value);
}

static void test_random_round_trip(void **state)
{
	static uint8_t data[16384];
	uint8_t addresses[16 * ENCDNS_ADDRESSES_MAX];
	struct svcparams_memory memory;
	struct encdns encdns, again;
	enum wire_message message;
	char adn[NAME_SIZE];
	struct span copy;
	uint16_t type;
	size_t len;
	int i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		type = random_below(2) ? WIRE_ENCDNS_IP4 : WIRE_ENCDNS_IP6;
		message = random_below(2) ? WIRE_REQUEST : WIRE_REPLY;
		encdns = (struct encdns){.priority = (uint16_t)(1 + random_below(65535))};
		if (message == WIRE_REPLY || random_below(2)) {
			len = (1 + random_below(ENCDNS_ADDRESSES_MAX)) * wire_address_length(type);
			random_octets(addresses, len);
			encdns.addresses = span_of(addresses, len);
		}
		if (message == WIRE_REPLY || random_below(2))
			encdns.adn = span_of(adn, random_name(adn, false));
		random_svcparams(&encdns.params, &memory);

		assert_int_equal(encdns_encode(type, message, &encdns, data, sizeof(data), &len, NULL), 0);
		copy = copy_exactly(span_of(data, len));
		assert_int_equal(encdns_decode(type, message, copy, &again, NULL), 0);
		assert_int_equal(encdns.priority, again.priority);
		assert_false(again.empty);
		assert_span_equal(encdns.addresses, again.addresses);
		assert_span_equal(encdns.adn, again.adn);
		assert_svcparams_equal(&encdns.params, &again.params);
		assert_same_again(type, message, copy);
		copy_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a1_request_without_suggestion),
		cmocka_unit_test(test_a1_reply),
		cmocka_unit_test(test_a2_suggestions),
		cmocka_unit_test(test_a2_suggestions_are_no_replies),
		cmocka_unit_test(test_two_ipv4_addresses),
		cmocka_unit_test(test_trailing_dot_is_not_kept),
		cmocka_unit_test(test_refusals_have_their_reason),
		cmocka_unit_test(test_accepted_though_perhaps_unusable),
		cmocka_unit_test(test_other_attributes),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_ret_stays_on_failure),
		cmocka_unit_test(test_find_adn_in_what_is_refused),
		cmocka_unit_test(test_encode_sends_nothing_that_is_refused),
		cmocka_unit_test(test_encode_into_too_little_room),
		cmocka_unit_test(test_every_octet_changed),
		cmocka_unit_test(test_random_round_trip),
	};

	return cmocka_run_group_tests(tests, random_setup, NULL);
}
