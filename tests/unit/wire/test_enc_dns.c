#include "support.h"

#include <errno.h>
#include "wire/enc_dns.h"

#define MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 20, 0, 53
#define SIX 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53

static int decode(enum wire_message message, struct span value, const char **ret_why)
{
	struct span copy = copy_exactly(value);
	struct enc_dns enc_dns;
	int r = enc_dns_decode(message, copy, &enc_dns, ret_why);

	copy_free(copy);
	return r;
}

static void assert_encodes(
	enum wire_message message, const struct enc_dns *enc_dns, struct span expected)
{
	uint8_t data[600];
	size_t len;

	assert_int_equal(enc_dns_encode(message, enc_dns, data, sizeof(data), &len, NULL), 0);
	assert_span_equal(span_of(data, len), expected);
}

static void test_request(void **state)
{
	struct enc_dns enc_dns;

	assert_int_equal(enc_dns_decode(WIRE_REQUEST, OCTETS(1), &enc_dns, NULL), 0);
	assert_int_equal(enc_dns.kind, ENC_DNS_DOT);
	assert_false(enc_dns.outside);
	assert_int_equal(enc_dns_decode(WIRE_REQUEST, OCTETS(0x82), &enc_dns, NULL), 0);
	assert_int_equal(enc_dns.kind, ENC_DNS_DOH);
	assert_true(enc_dns.outside);
	assert_encodes(WIRE_REQUEST, &(struct enc_dns){.kind = ENC_DNS_DOH}, OCTETS(2));
}

static void test_reply(void **state)
{
	struct enc_dns enc_dns;

	assert_int_equal(
		enc_dns_decode(WIRE_REPLY, OCTETS(0x81, 2, MAPPED, SIX, 'd', '.', 'X'), &enc_dns, NULL), 0);
	assert_true(enc_dns.outside);
	assert_int_equal(enc_dns.kind, ENC_DNS_DOT);
	assert_span_equal(enc_dns.addresses, OCTETS(MAPPED, SIX));
	assert_span_equal(enc_dns.adn, TEXT("d.X"));
	assert_encodes(WIRE_REPLY, &enc_dns, OCTETS(0x81, 2, MAPPED, SIX, 'd', '.', 'X'));
}

static void test_refusals(void **state)
{
	assert_refused(decode(WIRE_REQUEST, OCTETS(), &why), "the value is empty");
	assert_refused(decode(WIRE_REQUEST, OCTETS(0), &why), "the type is neither DoT nor DoH");
	assert_refused(
		decode(WIRE_REPLY, OCTETS(3, 1, SIX, 'a'), &why), "the type is neither DoT nor DoH");
	assert_refused(decode(WIRE_REQUEST, OCTETS(1, 0), &why), "a request holds more than a type");
	assert_refused(decode(WIRE_REPLY, OCTETS(1), &why), "the value is shorter than 2 octets");
	assert_refused(decode(WIRE_REPLY, OCTETS(1, 0, 'a'), &why), "there is no address");
	assert_refused(decode(WIRE_REPLY, OCTETS(1, 2, SIX, 'a'), &why), "the addresses are cut off");
	assert_refused(decode(WIRE_REPLY, OCTETS(1, 1, SIX), &why), "the ADN is empty");
	assert_refused(
		decode(WIRE_REPLY, OCTETS(1, 1, SIX, 'a', 0), &why), "the ADN holds a control character");
}

static void test_encode_sends_nothing_that_is_refused(void **state)
{
	struct enc_dns enc_dns = {.kind = ENC_DNS_DOT, .addresses = OCTETS(SIX), .adn = TEXT("a.b.")};
	uint8_t data[600];
	size_t len = 99;

	assert_encodes(WIRE_REPLY, &enc_dns, OCTETS(1, 1, SIX, 'a', '.', 'b'));
	assert_int_equal(enc_dns_encode(WIRE_REPLY, &enc_dns, data, 20, &len, NULL), -ENOBUFS);
	enc_dns.adn = TEXT("a b");
	assert_not_sent(enc_dns_encode(WIRE_REPLY, &enc_dns, data, sizeof(data), &len, &why),
		"the ADN holds a character that names don't have");
	enc_dns.addresses = OCTETS(1, 2, 3, 4);
	assert_not_sent(enc_dns_encode(WIRE_REPLY, &enc_dns, data, sizeof(data), &len, &why),
		"an address is cut off");
	enc_dns.kind = 5;
	assert_not_sent(enc_dns_encode(WIRE_REQUEST, &enc_dns, data, sizeof(data), &len, &why),
		"the type is neither DoT nor DoH");
	assert_int_equal(len, 99);
}

/* Only what cuts the ADN leaves one that is whole. */
static void test_every_truncation(void **state)
{
	struct span whole = OCTETS(2, 1, MAPPED, 'd', 'n', 's', '.', 'a');

	for (size_t len = 0; len < whole.len; len++)
		assert_int_equal(decode(WIRE_REPLY, span_of(whole.data, len), NULL),
			len > 2 + ENC_DNS_ADDRESS_LENGTH ? 0 : -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_encode_sends_nothing_that_is_refused),
		cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
