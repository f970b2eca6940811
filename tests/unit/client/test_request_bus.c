#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "client-helper/bounds.h"
#include "client-helper/request_bus.h"
#include "client-helper/util.h"

/* A bus that leads nowhere is enough to make messages. */
static int setup(void **state)
{
	sd_bus *bus = NULL;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || sd_bus_new(&bus) < 0 ||
		sd_bus_set_fd(bus, fds[0], fds[0]) < 0 || sd_bus_start(bus) < 0)
		return -1;
	close(fds[1]);
	*state = bus;
	return 0;
}

static int teardown(void **state)
{
	sd_bus_close_unref(*state);
	return 0;
}

static sd_bus_message *apply(void **state, const char *name)
{
	sd_bus_message *message;

	assert_true(sd_bus_message_new_method_call(*state, &message, "a.b", "/a", "a.b", "Apply") >= 0);
	assert_true(sd_bus_message_append(message, "s", name) >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "{sv}") >= 0);
	return message;
}

/* The error's text; NULL: it was read. Takes the message. */
static char *read_it(sd_bus_message *message, struct request *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *text = NULL;
	int r;

	assert_true(sd_bus_message_close_container(message) >= 0);
	assert_true(sd_bus_message_seal(message, 1, 0) >= 0);
	r = request_read(message, ret, &error);
	if (r < 0)
		text = strdup(error.message ? error.message : "?");
	sd_bus_error_free(&error);
	sd_bus_message_unref(message);
	return text;
}

static void assert_refused(sd_bus_message *message, const char *part)
{
	struct request request;
	cleanup_free char *text = read_it(message, &request);

	assert_non_null(text);
	assert_non_null(strstr(text, part));
}

static void add_link(sd_bus_message *message)
{
	assert_true(
		sd_bus_message_append(message, "{sv}{sv}", "link", "s", "encdns0", "ifindex", "i", 7) >= 0);
}

static void test_whole(void **state)
{
	sd_bus_message *message = apply(state, "corp vpn");
	struct request request;
	char *text;

	add_link(message);
	assert_true(sd_bus_message_append(message, "{sv}", "virtual-ips", "aay", 2, 4, 10, 99, 0, 1, 16,
					0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) >= 0);
	assert_true(sd_bus_message_append(message, "{sv}", "selectors", "a(ayay)", 1, 4, 10, 20, 0, 0,
					4, 10, 20, 255, 255) >= 0);
	assert_true(sd_bus_message_append(
					message, "{sv}", "attributes", "a(qay)", 2, 25, 3, 'a', '.', 'b', 27, 0) >= 0);
	assert_true(sd_bus_message_append(message, "{sv}", "requested-algorithms", "aq", 2, 2, 3) >= 0);
	assert_true(sd_bus_message_append(message, "{sv}{sv}{sv}{sv}{sv}", "gateway", "s", "CN=gw\n",
					"require-encrypted", "b", 1, "without-domains", "s", "everything",
					"on-disconnect", "s", "block", "of-the-future", "v", "s", "x") >= 0);
	assert_true(sd_bus_message_append(message, "{sv}", "accept-domains", "as", 0) >= 0);
	assert_true(sd_bus_message_append(message, "{sv}{sv}", "gateway-names", "as", 4, "192.0.2.0/24",
					"VPN.corp.example", "%any", "2001:db8::7", "gateway-address", "ay", 4, 192, 0,
					2, 7) >= 0);
	text = read_it(message, &request);
	assert_null(text);
	assert_int_equal(list_length(request.gateway_hosts.names), 1);
	assert_string_equal(request.gateway_hosts.names[0], "vpn.corp.example");
	assert_int_equal(request.gateway_hosts.address.family, AF_INET);
	assert_memory_equal(request.gateway_hosts.address.bytes, "\xc0\0\2\7", 4);
	assert_string_equal(request.connection, "corp vpn");
	assert_string_equal(request.link, "encdns0");
	assert_int_equal(request.ifindex, 7);
	assert_int_equal(request.n_virtual_ips, 2);
	assert_int_equal(request.virtual_ips[1].family, AF_INET6);
	assert_int_equal(request.n_selectors, 1);
	assert_int_equal(request.n_attributes, 2);
	assert_int_equal(request.attributes[0].type, 25);
	assert_memory_equal(request.attributes[0].value, "a.b", 3);
	assert_int_equal(request.attributes[1].length, 0);
	assert_int_equal(request.n_algorithms, 2);
	assert_int_equal(request.algorithms[1], 3);
	assert_string_equal(request.gateway, "CN=gw\\x0a");
	assert_true(request.policy.require_encrypted);
	assert_true(request.policy.everything);
	assert_true(request.policy.block_on_disconnect);
	assert_true(request.policy.limits_domains);
	assert_null(request.policy.accept_domains);
	request_clear(&request);
}

static void test_defaults(void **state)
{
	sd_bus_message *message = apply(state, "corp");
	struct request request;

	add_link(message);
	assert_null(read_it(message, &request));
	assert_false(request.policy.limits_domains);
	assert_false(request.policy.everything);
	assert_false(request.policy.block_on_disconnect);
	assert_false(request.anonymous);
	request_clear(&request);
}

/* Names without an address answer nothing. */
static void test_gateway_without_an_address(void **state)
{
	sd_bus_message *message = apply(state, "corp");
	struct request request;

	add_link(message);
	assert_true(
		sd_bus_message_append(message, "{sv}", "gateway-names", "as", 1, "vpn.corp.example") >= 0);
	assert_null(read_it(message, &request));
	assert_null(request.gateway_hosts.names);
	request_clear(&request);
}

static void test_missing(void **state)
{
	sd_bus_message *message = apply(state, "corp");

	assert_true(sd_bus_message_append(message, "{sv}", "link", "s", "encdns0") >= 0);
	assert_refused(message, "ifindex");
}

static void test_names(void **state)
{
	char name[LIMIT_CONNECTION_NAME + 2];
	sd_bus_message *message;
	struct request request;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_refused(apply(state, name), "name");
	message = apply(state, name + 1);
	add_link(message);
	assert_null(read_it(message, &request));
	request_clear(&request);
	assert_refused(apply(state, ""), "name");
	assert_refused(apply(state, "a\nb"), "name");
}

static void test_wrong_values(void **state)
{
	sd_bus_message *message;

	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "link", "s", "eth0") >= 0);
	assert_refused(message, "link: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "ifindex", "i", 0) >= 0);
	assert_refused(message, "ifindex: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "ifindex", "s", "7") >= 0);
	assert_refused(message, "ifindex: its type");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "virtual-ips", "aay", 1, 3, 1, 2, 3) >= 0);
	assert_refused(message, "virtual-ips: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(
					message, "{sv}", "selectors", "a(ayay)", 1, 4, 2, 0, 0, 0, 4, 1, 0, 0, 0) >= 0);
	assert_refused(message, "selectors: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "on-disconnect", "s", "keep") >= 0);
	assert_refused(message, "on-disconnect: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "internal-enc-dns", "q", 27) >= 0);
	assert_refused(message, "internal-enc-dns: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "dohpath", "s", "q") >= 0);
	assert_refused(message, "dohpath: ");
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}{sv}", "attributes", "a(qay)", 1, 25, 1, 'a',
					"attributes", "a(qay)", 0) >= 0);
	assert_refused(message, "attributes: ");
}

/* A list of so many values of a kind, which append adds; NULL: it was read. */
static char *with_list(void **state, const char *key, const char *type, size_t n,
	void (*append)(sd_bus_message *message))
{
	sd_bus_message *message = apply(state, "corp");
	struct request request = {0};
	char *text;

	add_link(message);
	assert_true(sd_bus_message_open_container(message, 'e', "sv") >= 0);
	assert_true(sd_bus_message_append(message, "s", key) >= 0);
	assert_true(sd_bus_message_open_container(message, 'v', type) >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', type + 1) >= 0);
	for (size_t i = 0; i < n; i++)
		append(message);
	for (size_t i = 0; i < 3; i++)
		assert_true(sd_bus_message_close_container(message) >= 0);
	text = read_it(message, &request);
	if (!text)
		request_clear(&request);
	return text;
}

static void append_address(sd_bus_message *message)
{
	assert_true(sd_bus_message_append(message, "ay", 4, 10, 99, 0, 1) >= 0);
}

static void append_selector(sd_bus_message *message)
{
	assert_true(sd_bus_message_append(message, "(ayay)", 4, 10, 20, 0, 0, 4, 10, 20, 0, 1) >= 0);
}

static void append_attribute(sd_bus_message *message)
{
	assert_true(sd_bus_message_append(message, "(qay)", 25, 1, 'a') >= 0);
}

static void append_algorithm(sd_bus_message *message)
{
	assert_true(sd_bus_message_append(message, "q", 2) >= 0);
}

static void append_name(sd_bus_message *message)
{
	assert_true(sd_bus_message_append(message, "s", "a.example") >= 0);
}

/* As many as there may be are read, one more is refused. */
static void test_bounds(void **state)
{
	static const struct {
		const char *key, *type;
		size_t limit;
		void (*append)(sd_bus_message *message);
	} cases[] = {
		{"virtual-ips", "aay", LIMIT_VIRTUAL_IPS, append_address},
		{"selectors", "a(ayay)", LIMIT_SELECTORS, append_selector},
		{"attributes", "a(qay)", LIMIT_ATTRIBUTES, append_attribute},
		{"requested-algorithms", "aq", LIMIT_ALGORITHMS, append_algorithm},
		{"accept-domains", "as", LIMIT_LIST, append_name},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *text = NULL;

		assert_null(with_list(state, cases[i].key, cases[i].type, cases[i].limit, cases[i].append));
		text = with_list(state, cases[i].key, cases[i].type, cases[i].limit + 1, cases[i].append);
		assert_non_null(text);
		assert_ptr_equal(strstr(text, cases[i].key), text);
	}
}

static void test_longest_text(void **state)
{
	char longest[LIMIT_TEXT + 1], longer[LIMIT_TEXT + 2];
	sd_bus_message *message = apply(state, "corp");
	struct request request;

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longest, longer + 1, sizeof(longest));
	add_link(message);
	assert_true(sd_bus_message_append(message, "{sv}", "organization", "s", longest) >= 0);
	assert_null(read_it(message, &request));
	assert_string_equal(request.policy.organization, longest);
	request_clear(&request);
	message = apply(state, "corp");
	assert_true(sd_bus_message_append(message, "{sv}", "organization", "s", longer) >= 0);
	assert_refused(message, "organization: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_gateway_without_an_address),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_longest_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
