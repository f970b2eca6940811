#include "support.h"
#include "encdns_link.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
#include <ifaddrs.h>
#include <arpa/inet.h>
#include <linux/rtnetlink.h>

/**
 * The addresses of a link, "192.0.0.8 fe80::1 "; and whether it is up with carrier.
 */
static void inspect(const char *name, char *addresses, size_t len, u_int *flags)
{
	struct ifaddrs *all, *current;
	char text[INET6_ADDRSTRLEN] = "";

	addresses[0] = '\0';
	*flags = 0;
	assert_int_equal(getifaddrs(&all), 0);
	for (current = all; current; current = current->ifa_next)
	{
		if (!streq(current->ifa_name, name))
		{
			continue;
		}
		*flags = current->ifa_flags;
		if (current->ifa_addr && current->ifa_addr->sa_family == AF_INET)
		{
			inet_ntop(AF_INET, &((struct sockaddr_in*)current->ifa_addr)->sin_addr,
					  text, sizeof(text));
		}
		else if (current->ifa_addr && current->ifa_addr->sa_family == AF_INET6)
		{
			inet_ntop(AF_INET6, &((struct sockaddr_in6*)current->ifa_addr)->sin6_addr,
					  text, sizeof(text));
		}
		else
		{
			continue;
		}
		snprintf(addresses + strlen(addresses), len - strlen(addresses), "%s ", text);
	}
	freeifaddrs(all);
}

/**
 * How many links of ours there are.
 */
static int count(void)
{
	linked_list_t *links;
	int n;

	assert_int_equal(encdns_link_list(&links), 0);
	n = links->get_count(links);
	links->destroy_function(links, free);
	return n;
}

static void test_make_and_remove(void **state)
{
	encdns_link_t link;
	char addresses[256];
	u_int flags, tries;

	assert_int_equal(count(), 0);
	assert_int_equal(encdns_link_ensure("corp", &link), 0);
	assert_string_equal(link.name, "encdns0");
	assert_string_equal(link.connection, "corp");
	assert_int_equal(link.index, if_nametoindex("encdns0"));
	inspect("encdns0", addresses, sizeof(addresses), &flags);
	assert_string_equal(addresses, "192.0.0.8 ");
	assert_true(flags & IFF_UP);
	/* the kernel notices a carrier at its leisure */
	for (tries = 0; !(flags & IFF_RUNNING) && tries < 100; tries++)
	{
		usleep(20000);
		inspect("encdns0", addresses, sizeof(addresses), &flags);
	}
	assert_true(flags & IFF_RUNNING);
	assert_int_equal(count(), 1);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(count(), 0);
	assert_int_equal(if_nametoindex("encdns0p"), 0);
}

static void test_adopt(void **state)
{
	encdns_link_t first, second, again;

	assert_int_equal(encdns_link_ensure("corp", &first), 0);
	assert_int_equal(encdns_link_ensure("branch: %s \"\xc3\xbc\"", &second), 0);
	assert_string_equal(second.name, "encdns1");
	assert_int_equal(encdns_link_ensure("corp", &again), 0);
	assert_int_equal(again.index, first.index);
	assert_int_equal(count(), 2);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(encdns_link_ensure("corp", &again), 0);
	assert_string_equal(again.name, "encdns0");
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(encdns_link_remove("encdns1", second.connection), 0);
}

static void test_not_what_is_another_connections(void **state)
{
	encdns_link_t link;

	assert_int_equal(encdns_link_ensure("corp", &link), 0);
	assert_int_equal(encdns_link_remove("encdns0", "branch"), -ENODEV);
	assert_int_equal(encdns_link_remove("encdns1", "corp"), -ENODEV);
	assert_int_equal(encdns_link_remove("lo", "corp"), -ENODEV);
	assert_int_equal(count(), 1);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), -ENODEV);
}

/**
 * How many links there are in all, without lo.
 */
static int count_all(void)
{
	struct if_nameindex *all = if_nameindex();
	int n = 0;

	assert_non_null(all);
	while (all[n].if_index)
	{
		n++;
	}
	if_freenameindex(all);
	return n - 1;
}

/**
 * What another program does.
 */
static void delete_link(const char *name)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_DELLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.info.ifi_index = if_nametoindex(name),
	};
	char reply[1024];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	assert_int_not_equal(request.info.ifi_index, 0);
	assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
	assert_true(recv(fd, reply, sizeof(reply), 0) > 0);
	close(fd);
	assert_int_equal(if_nametoindex(name), 0);
}

static void test_guard(void **state)
{
	encdns_link_t link;
	char addresses[256];
	u_int flags;
	int n;

	assert_int_equal(encdns_link_ensure("corp", &link), 0);
	n = count_all();
	assert_int_equal(encdns_link_guard(&link), 0);
	/* where there are no dummies, each has another end */
	assert_int_equal(count_all(), 2 * n);
	assert_int_equal(encdns_link_guard(&link), 0);
	assert_int_equal(count_all(), 2 * n);
	inspect("encdns0g", addresses, sizeof(addresses), &flags);
	assert_string_equal(addresses, "192.0.0.8 ");
	assert_true(flags & IFF_UP);
	/* it is no link of its own */
	assert_int_equal(count(), 1);
	assert_int_equal(encdns_link_remove("encdns0g", "corp"), -ENODEV);
	assert_int_equal(encdns_link_remove("encdns0", "branch"), -ENODEV);
	assert_int_equal(count_all(), 2 * n);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(count_all(), 0);
}

/**
 * The number stays the connection's as long as one of the two is there.
 */
static void test_guard_that_is_left(void **state)
{
	encdns_link_t corp, branch, guest;

	assert_int_equal(encdns_link_ensure("corp", &corp), 0);
	assert_int_equal(encdns_link_ensure("branch", &branch), 0);
	assert_int_equal(encdns_link_guard(&corp), 0);
	assert_int_equal(encdns_link_guard(&branch), 0);
	delete_link("encdns0");
	delete_link("encdns1");
	assert_int_equal(count(), 2);
	assert_int_equal(encdns_link_ensure("guest", &guest), 0);
	assert_string_equal(guest.name, "encdns2");
	assert_int_equal(encdns_link_ensure("branch", &branch), 0);
	assert_string_equal(branch.name, "encdns1");
	delete_link("encdns1g");
	assert_int_equal(encdns_link_guard(&branch), 0);
	assert_int_not_equal(if_nametoindex("encdns1g"), 0);
	/* what only the guard is left of can be removed, too */
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), -ENODEV);
	assert_int_equal(encdns_link_remove("encdns1", "branch"), 0);
	assert_int_equal(encdns_link_remove("encdns2", "guest"), 0);
	assert_int_equal(count_all(), 0);
}

/**
 * A guard that bears another connection's name is left alone.
 */
static void test_guard_of_another(void **state)
{
	encdns_link_t corp, branch;

	assert_int_equal(encdns_link_ensure("corp", &corp), 0);
	assert_int_equal(encdns_link_ensure("branch", &branch), 0);
	snprintf(branch.name, sizeof(branch.name), "%s", corp.name);
	assert_int_equal(encdns_link_guard(&corp), 0);
	assert_int_equal(encdns_link_guard(&branch), -EEXIST);
	assert_int_equal(encdns_link_remove("encdns0", "corp"), 0);
	assert_int_equal(encdns_link_remove("encdns1", "branch"), 0);
}

static void test_name_that_is_too_long(void **state)
{
	encdns_link_t link;
	char name[ENCDNS_ALIAS_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(encdns_link_ensure(name, &link), -ENAMETOOLONG);
	name[sizeof(name) - 2] = '\0';
	assert_int_equal(encdns_link_ensure(name, &link), 0);
	assert_string_equal(link.connection, name);
	assert_int_equal(encdns_link_remove(link.name, name), 0);
}

static void test_too_many(void **state)
{
	encdns_link_t link;
	char name[16];
	int i;

	for (i = 0; i < ENCDNS_LINKS_MAX; i++)
	{
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(encdns_link_ensure(name, &link), 0);
		assert_int_equal(encdns_link_guard(&link), 0);
	}
	assert_int_equal(encdns_link_ensure("one more", &link), -EEXIST);
	assert_int_equal(count(), ENCDNS_LINKS_MAX);
	for (i = 0; i < ENCDNS_LINKS_MAX; i++)
	{
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(encdns_link_ensure(name, &link), 0);
		assert_int_equal(encdns_link_remove(link.name, name), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make_and_remove),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_not_what_is_another_connections),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_guard_that_is_left),
		cmocka_unit_test(test_guard_of_another),
		cmocka_unit_test(test_name_that_is_too_long),
		cmocka_unit_test(test_too_many),
	};

	/* links of this machine stay as they are */
	if (unshare(CLONE_NEWNET))
	{
		printf("skipped: a network namespace needs root (%s)\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
