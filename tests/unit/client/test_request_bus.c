#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

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

static void test_missing(void **state)
{
	sd_bus_message *message = apply(state, "corp");

	assert_true(sd_bus_message_append(message, "{sv}", "link", "s", "encdns0") >= 0);
	assert_refused(message, "ifindex");
}

static void test_names(void **state)
{
	char name[REQUEST_NAME_MAX + 2];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_refused(apply(state, name), "name");
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

static void test_bounds(void **state)
{
	sd_bus_message *message = apply(state, "corp");

	assert_true(sd_bus_message_open_container(message, 'e', "sv") >= 0);
	assert_true(sd_bus_message_append(message, "s", "attributes") >= 0);
	assert_true(sd_bus_message_open_container(message, 'v', "a(qay)") >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "(qay)") >= 0);
	for (size_t i = 0; i <= REQUEST_ATTRIBUTES_MAX; i++)
		assert_true(sd_bus_message_append(message, "(qay)", 25, 1, 'a') >= 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(sd_bus_message_close_container(message) >= 0);
	assert_refused(message, "attributes: ");

	message = apply(state, "corp");
	assert_true(sd_bus_message_open_container(message, 'e', "sv") >= 0);
	assert_true(sd_bus_message_append(message, "s", "accept-domains") >= 0);
	assert_true(sd_bus_message_open_container(message, 'v', "as") >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "s") >= 0);
	for (size_t i = 0; i <= REQUEST_LIST_MAX; i++)
		assert_true(sd_bus_message_append(message, "s", "a.example") >= 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(sd_bus_message_close_container(message) >= 0);
	assert_refused(message, "accept-domains: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
