#include "dns_messages.h"

#include <errno.h>

static const uint8_t subnet_and_padding[] = {
	0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2, /* client subnet */
	0, 12, 0, 3, 0, 0, 0,               /* padding */
};

static struct dns_message read_ok(const struct message *message)
{
	struct dns_message parsed;
	uint8_t *copy = exact_copy(message, message->length);

	assert_int_equal(dns_read(copy, message->length, &parsed), 0);
	free(copy);
	return parsed;
}

static void assert_bad(const struct message *message, size_t length)
{
	struct dns_message parsed, before;
	uint8_t *copy = exact_copy(message, length);

	memset(&parsed, 0x5a, sizeof(parsed));
	before = parsed;
	assert_int_equal(dns_read(copy, length, &parsed), -EBADMSG);
	assert_memory_equal(&parsed, &before, sizeof(parsed));
	free(copy);
}

static struct message answer_with(size_t records, size_t size, const void *options, size_t length)
{
	struct message message;

	put_header(&message, 7, 0x8180, records, 1);
	put_question(&message, "www.corp.example", 1);
	for (size_t i = 0; i < records; i++)
		put_record(&message, size);
	put_opt(&message, 4096, true, options, length);
	return message;
}

static void test_read(void **state)
{
	struct message message = answer_with(2, 10, subnet_and_padding, sizeof(subnet_and_padding));
	struct dns_message parsed = read_ok(&message);

	assert_int_equal(parsed.id, 7);
	assert_true(parsed.response);
	assert_false(parsed.truncated);
	assert_int_equal(parsed.question_length, 18 + 4);
	assert_int_equal(parsed.question_type, 1);
	assert_int_equal(parsed.counts[1], 2);
	assert_true(parsed.has_opt && parsed.opt_last && parsed.dnssec_ok);
	assert_int_equal(parsed.udp_size, 4096);
	assert_int_equal(parsed.opt_offset + parsed.opt_length, message.length);
}

static void test_read_every_truncation(void **state)
{
	struct message message = answer_with(3, 20, subnet_and_padding, sizeof(subnet_and_padding));

	for (size_t length = 0; length < message.length; length++)
		assert_bad(&message, length);
	message.data[message.length++] = 0;
	assert_bad(&message, message.length);
}

static void test_read_every_octet_changed(void **state)
{
	struct message message = answer_with(2, 5, subnet_and_padding, sizeof(subnet_and_padding));
	struct dns_message parsed;

	for (size_t i = 0; i < message.length; i++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t *copy = exact_copy(&message, message.length);

			copy[i] = value;
			/* Whatever it says, it stays within the block and the lengths agree. */
			if (dns_read(copy, message.length, &parsed) == 0 && parsed.has_opt)
				assert_true(parsed.opt_offset + parsed.opt_length <= message.length);
			free(copy);
		}
}

static void test_read_refuses(void **state)
{
	struct message message = query_for(1, "a.example");

	message.data[5] = 2; /* two questions */
	assert_bad(&message, message.length);

	put_header(&message, 1, 0x0100, 0, 0);
	put16(&message, 0xc00c); /* a compressed question */
	put16(&message, 1);
	put16(&message, 1);
	assert_bad(&message, message.length);

	put_header(&message, 1, 0x0100, 0, 0);
	for (int i = 0; i < 4; i++) { /* a name of 256 octets */
		put8(&message, i == 3 ? 62 : 63);
		for (int j = 0; j < (i == 3 ? 62 : 63); j++)
			put8(&message, 'a');
	}
	put8(&message, 0);
	assert_int_equal(message.length, DNS_HEADER_SIZE + LIMIT_NAME + 1);
	put16(&message, 1);
	put16(&message, 1);
	assert_bad(&message, message.length);

	put_header(&message, 1, 0x0100, 0, 2); /* two OPT records */
	put_question(&message, "a.example", 1);
	put_opt(&message, 1232, false, NULL, 0);
	put_opt(&message, 1232, false, NULL, 0);
	assert_bad(&message, message.length);

	put_header(&message, 1, 0x8100, 1, 0); /* an OPT record as an answer */
	put_question(&message, "a.example", 1);
	put_opt(&message, 1232, false, NULL, 0);
	assert_bad(&message, message.length);
}

static void test_same_question(void **state)
{
	struct message a = query_for(1, "www.corp.example"), b = query_for(2, "WWW.Corp.exAMPle"),
				   c = query_for(3, "wwx.corp.example");
	size_t length = 18 + 4;

	assert_true(dns_same_question(a.data + 12, b.data + 12, length));
	assert_false(dns_same_question(a.data + 12, c.data + 12, length));
	b.data[12 + length - 3] = 28; /* another type */
	assert_false(dns_same_question(a.data + 12, b.data + 12, length));
	assert_false(dns_same_question(a.data + 12, a.data + 12, 0));
}

/* What is asked upstream is padded, and holds nothing of the asker's options: no client subnet (RFC
 * 7871). */
static void test_write_query_padded(void **state)
{
	char name[254] = "";
	uint8_t out[LIMIT_QUERY_SIZE];
	size_t n = 0;

	for (size_t length = 1; length <= 253; length++) {
		struct message message;
		struct dns_message parsed;

		memset(name, 'a', length);
		name[length] = '\0';
		for (size_t i = 60; i < length - (length > 60); i += 61)
			name[i] = '.';
		put_header(&message, 3, 0x0110, 0, 1);
		put_question(&message, name, 28);
		put_opt(&message, 4096, true, subnet_and_padding, sizeof(subnet_and_padding));
		parsed = read_ok(&message);
		n = dns_write_query(message.data, &parsed, true, out);
		assert_true(n <= LIMIT_QUERY_SIZE);
		assert_int_equal(n % LIMIT_PADDING_BLOCK, 0);
		assert_int_equal(dns_read(out, n, &parsed), 0);
		assert_true(parsed.has_opt && parsed.dnssec_ok);
		assert_int_equal(parsed.udp_size, LIMIT_UDP_UPSTREAM);
		/* Padding is the one option, and it is zeroes. */
		assert_int_equal(dns_get16(out + parsed.opt_offset + DNS_OPT_SIZE), 12);
		assert_int_equal(dns_get16(out + parsed.opt_offset + DNS_OPT_SIZE + 2),
			parsed.opt_length - DNS_OPT_SIZE - 4);
		for (size_t i = parsed.opt_offset + DNS_OPT_SIZE + 4; i < n; i++)
			assert_int_equal(out[i], 0);
		assert_int_equal(parsed.id, 0);
		assert_memory_equal(out + 2, message.data + 2, 2);
		assert_true(dns_same_question(out + 12, message.data + 12, parsed.question_length));
	}
	assert_int_equal(n, LIMIT_QUERY_SIZE);
}

static void test_write_query_plain(void **state)
{
	struct message message;
	struct dns_message parsed;
	uint8_t out[LIMIT_QUERY_SIZE];
	size_t n;

	put_header(&message, 3, 0x0100, 0, 1);
	put_question(&message, "a.example", 1);
	put_opt(&message, 4096, false, subnet_and_padding, sizeof(subnet_and_padding));
	parsed = read_ok(&message);
	n = dns_write_query(message.data, &parsed, false, out);
	assert_int_equal(n, message.length - sizeof(subnet_and_padding));
	assert_int_equal(dns_read(out, n, &parsed), 0);
	assert_true(parsed.has_opt);

	put_header(&message, 3, 0x0100, 0, 0);
	put_question(&message, "a.example", 1);
	parsed = read_ok(&message);
	assert_int_equal(dns_write_query(message.data, &parsed, false, out), message.length);
	assert_memory_equal(out + 2, message.data + 2, message.length - 2);
}

static void test_fit_answer_strips(void **state)
{
	/* An extended error stays, the padding before and behind it goes. */
	static const uint8_t options[] = {
		0,
		12,
		0,
		2,
		0,
		0,
		0,
		15,
		0,
		2,
		0,
		22,
		0,
		12,
		0,
		0,
	};
	struct message message = answer_with(1, 10, options, sizeof(options));
	struct message with = message;
	struct dns_message parsed = read_ok(&message);
	size_t n = dns_fit_answer(with.data, with.length, &parsed, true, 1232);

	assert_int_equal(n, message.length - 10);
	assert_int_equal(dns_read(with.data, n, &parsed), 0);
	assert_int_equal(parsed.opt_length, DNS_OPT_SIZE + 6);
	assert_memory_equal(with.data + n - 6, options + 6, 6);

	/* Who has sent no OPT record gets none. */
	parsed = read_ok(&message);
	n = dns_fit_answer(message.data, message.length, &parsed, false, 1232);
	assert_int_equal(n, parsed.opt_offset);
	assert_int_equal(dns_read(message.data, n, &parsed), 0);
	assert_false(parsed.has_opt);
}

/* What a validator needs goes through, either way: AD and CD, DO, and records as they are. */
static void test_dnssec_passes(void **state)
{
	static const uint16_t flags[] = {0x0100, 0x0110, 0x0120, 0x0130};
	struct message message;
	struct dns_message parsed;
	uint8_t out[LIMIT_QUERY_SIZE], copy[sizeof(message.data)];
	size_t n;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		for (int dnssec_ok = 0; dnssec_ok < 2; dnssec_ok++) {
			put_header(&message, 3, flags[i], 0, 1);
			put_question(&message, "a.example", 48);
			put_opt(&message, 1232, dnssec_ok, NULL, 0);
			parsed = read_ok(&message);
			n = dns_write_query(message.data, &parsed, true, out);
			assert_int_equal(dns_get16(out + 2), flags[i]);
			assert_int_equal(dns_read(out, n, &parsed), 0);
			assert_int_equal(parsed.dnssec_ok, dnssec_ok);

			message = answer_with(9, 300, NULL, 0);
			dns_put16(message.data + 2, 0x8080 | flags[i]);
			parsed = read_ok(&message);
			memcpy(copy, message.data, message.length);
			n = dns_fit_answer(message.data, message.length, &parsed, true, sizeof(copy));
			assert_int_equal(n, message.length);
			assert_memory_equal(message.data, copy, n);
		}
	}
}

static void test_fit_answer_broken_options(void **state)
{
	static const uint8_t options[] = {0, 15, 0, 9, 1}; /* longer than the record */
	struct message message = answer_with(1, 10, options, sizeof(options));
	struct dns_message parsed = read_ok(&message);
	uint8_t *copy = exact_copy(&message, message.length);

	assert_int_equal(dns_fit_answer(copy, message.length, &parsed, true, 1232), message.length);
	free(copy);
}

static void test_fit_answer_truncates(void **state)
{
	struct message message = answer_with(3, 200, NULL, 0), exact = message;
	struct dns_message parsed = read_ok(&message);
	size_t n;

	assert_int_equal(
		dns_fit_answer(exact.data, exact.length, &parsed, true, exact.length), exact.length);
	assert_false(exact.data[2] & 2);

	n = dns_fit_answer(message.data, message.length, &parsed, true, 512);
	assert_true(n <= 512);
	assert_int_equal(dns_read(message.data, n, &parsed), 0);
	assert_true(parsed.truncated && parsed.has_opt);
	assert_int_equal(parsed.counts[1], 0);
	assert_int_equal(parsed.id, 7);
}

static void test_write_error(void **state)
{
	struct message message = query_for(9, "www.corp.example");
	struct dns_message parsed;
	uint8_t out[DNS_OWN_SIZE];
	size_t n =
		dns_write_error(message.data, 22, DNS_SERVFAIL, true, DNS_EDE_NETWORK_ERROR, "down", out);

	assert_int_equal(dns_read(out, n, &parsed), 0);
	assert_true(parsed.response);
	assert_int_equal(parsed.rcode, DNS_SERVFAIL);
	assert_int_equal(parsed.id, 9);
	assert_true(parsed.has_opt);
	assert_memory_equal(out + n - 10,
		"\0\x0f\0\x06\0\x17"
		"down",
		10);
	assert_true(dns_same_question(out + 12, message.data + 12, 22));

	n = dns_write_error(message.data, 22, DNS_NOTIMP, false, DNS_EDE_OTHER, NULL, out);
	assert_int_equal(n, 12 + 22);
	assert_int_equal(dns_read(out, n, &parsed), 0);
	assert_int_equal(parsed.rcode, DNS_NOTIMP);
}

static bool names(const char *asked, const char *name)
{
	struct message message = query_for(1, asked);

	return dns_question_names(message.data + 12, strlen(asked) + 2 + 4, name);
}

static void test_question_names(void **state)
{
	struct message message = query_for(1, "vpn.corp.example");

	assert_true(names("vpn.corp.example", "vpn.corp.example"));
	assert_true(names("VPN.Corp.example", "vpn.corp.example"));
	assert_false(names("vpn.corp.example", "vpn.corp.exampl"));
	assert_false(names("vpn.corp.example", "vpn.corp.example.com"));
	assert_false(names("vpn.corp.example", "corp.example"));
	assert_false(names("corp.example", "vpn.corp.example"));
	assert_false(names("vpn.corp.example", "vpn-corp.example"));
	assert_false(names("vpn.corp.example", ""));
	/* Another class. */
	message.data[12 + 18 + 3] = 3;
	assert_false(dns_question_names(message.data + 12, 22, "vpn.corp.example"));
}

static void test_write_address(void **state)
{
	struct message message = query_for(9, "www.corp.example");
	struct address address = {.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 7}};
	struct dns_message parsed;
	uint8_t out[DNS_OWN_SIZE];
	size_t n = dns_write_address(message.data, 22, true, &address, out);

	assert_int_equal(dns_read(out, n, &parsed), 0);
	assert_true(parsed.response && parsed.has_opt);
	assert_int_equal(parsed.rcode, DNS_NOERROR);
	assert_int_equal(parsed.counts[1], 1);
	assert_int_equal(parsed.opt_offset, 12 + 22 + 12 + 16);
	assert_memory_equal(out + 12 + 22, "\xc0\x0c\0\x1c\0\1\0\0\0\0\0\x10", 12);
	assert_memory_equal(out + 12 + 22 + 12, address.bytes, 16);

	n = dns_write_address(message.data, 22, false, NULL, out);
	assert_int_equal(n, 12 + 22);
	assert_int_equal(dns_read(out, n, &parsed), 0);
	assert_true(parsed.response && parsed.counts[1] == 0);
	assert_int_equal(parsed.rcode, DNS_NOERROR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_every_truncation),
		cmocka_unit_test(test_read_every_octet_changed),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_same_question),
		cmocka_unit_test(test_write_query_padded),
		cmocka_unit_test(test_write_query_plain),
		cmocka_unit_test(test_fit_answer_strips),
		cmocka_unit_test(test_dnssec_passes),
		cmocka_unit_test(test_fit_answer_broken_options),
		cmocka_unit_test(test_fit_answer_truncates),
		cmocka_unit_test(test_write_error),
		cmocka_unit_test(test_question_names),
		cmocka_unit_test(test_write_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
