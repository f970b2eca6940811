#include "encdns_link.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define PREFIX "encdns"

/** What the name of a guard has more than that of its link */
#define GUARD "g"

/** The same of a veth's other end */
#define PEER "p"

/** How long the kernel may take, which it never does */
#define TIMEOUT_S 2

/** The IPv4 dummy address (RFC 7600): resolved wants one of more than link scope, nobody routes to it */
static const uint8_t dummy_address[] = { 192, 0, 0, 8 };

/**
 * A request, with room for what we send.
 */
typedef struct {
	struct nlmsghdr header;
	char body[1024];
} request_t;

/**
 * Start a request with its fixed part.
 */
static void begin(request_t *request, int type, int flags, const void *fixed,
				  size_t len)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_len = NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&request->header), fixed, len);
}

/**
 * Append an attribute. What we send is bounded by names and aliases, so it fits.
 */
static struct rtattr *append(request_t *request, int type, const void *data,
							 size_t len)
{
	struct rtattr *attribute;
	size_t offset = NLMSG_ALIGN(request->header.nlmsg_len);

	if (offset + RTA_SPACE(len) > sizeof(*request))
	{
		return NULL;
	}
	attribute = (struct rtattr*)((char*)request + offset);
	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(len);
	if (len)
	{
		memcpy(RTA_DATA(attribute), data, len);
	}
	request->header.nlmsg_len = offset + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

/**
 * End an attribute that holds others.
 */
static void end(request_t *request, struct rtattr *attribute)
{
	attribute->rta_len = (char*)request + request->header.nlmsg_len -
						 (char*)attribute;
}

/**
 * Open a socket to the kernel.
 *
 * @return			file descriptor or a negative errno
 */
static int open_socket(void)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
	{
		return -errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

/**
 * Send a request and hand what comes back to a callback, until the kernel says that it was all.
 *
 * @return			0 or a negative errno
 */
static int talk(request_t *request,
				void (*cb)(void *data, struct nlmsghdr *message), void *data)
{
	static const size_t size = 32768;
	struct nlmsghdr *message;
	struct nlmsgerr *error;
	bool done = FALSE;
	ssize_t len;
	char *buf;
	int fd, ret = 0;

	fd = open_socket();
	if (fd < 0)
	{
		return fd;
	}
	buf = malloc(size);
	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
	{
		ret = -errno;
		done = TRUE;
	}
	while (!done)
	{
		len = recv(fd, buf, size, 0);
		if (len < 0)
		{
			if (errno == EINTR)
			{
				continue;
			}
			ret = -errno;
			break;
		}
		for (message = (struct nlmsghdr*)buf; !done && NLMSG_OK(message, len);
			 message = NLMSG_NEXT(message, len))
		{
			if (message->nlmsg_type == NLMSG_ERROR)
			{
				error = NLMSG_DATA(message);
				ret = error->error;
				done = TRUE;
			}
			else if (message->nlmsg_type == NLMSG_DONE)
			{
				done = TRUE;
			}
			else if (cb)
			{
				cb(data, message);
			}
		}
	}
	free(buf);
	close(fd);
	return ret;
}

/**
 * Is it a name of ours, "encdns" and a number, and a "g" if it is a guard?
 */
static bool is_ours(const char *name, bool *ret_guard)
{
	size_t len = strlen(PREFIX), digits;

	if (!strpfx((char*)name, PREFIX))
	{
		return FALSE;
	}
	digits = strspn(name + len, "0123456789");
	*ret_guard = streq(name + len + digits, GUARD);
	return digits && (*ret_guard || !name[len + digits]);
}

/**
 * What a dump of links is sorted into.
 */
typedef struct {
	linked_list_t *links;
	linked_list_t *guards;
} lists_t;

static void destroy_lists(lists_t *lists)
{
	lists->links->destroy_function(lists->links, free);
	lists->guards->destroy_function(lists->guards, free);
}

static void add_link(void *data, struct nlmsghdr *message)
{
	lists_t *lists = data;
	struct ifinfomsg *info = NLMSG_DATA(message);
	struct rtattr *attribute;
	encdns_link_t *link;
	bool guard;
	size_t len;

	if (message->nlmsg_type != RTM_NEWLINK)
	{
		return;
	}
	INIT(link,
		.index = info->ifi_index,
	);
	len = IFLA_PAYLOAD(message);
	for (attribute = IFLA_RTA(info); RTA_OK(attribute, len);
		 attribute = RTA_NEXT(attribute, len))
	{
		/* the kernel's strings have their NUL */
		switch (attribute->rta_type)
		{
			case IFLA_IFNAME:
				snprintf(link->name, sizeof(link->name), "%s",
						 (char*)RTA_DATA(attribute));
				break;
			case IFLA_IFALIAS:
				snprintf(link->connection, sizeof(link->connection), "%s",
						 (char*)RTA_DATA(attribute));
				break;
		}
	}
	if (!is_ours(link->name, &guard))
	{
		free(link);
	}
	else if (guard)
	{
		lists->guards->insert_last(lists->guards, link);
	}
	else
	{
		lists->links->insert_last(lists->links, link);
	}
}

/**
 * List links and guards.
 *
 * @param ret_lists		to be destroyed with destroy_lists()
 * @return				0 or a negative errno
 */
static int list_all(lists_t *ret_lists)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	lists_t lists = {
		.links = linked_list_create(),
		.guards = linked_list_create(),
	};
	request_t request;
	int ret;

	begin(&request, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	ret = talk(&request, add_link, &lists);
	if (ret < 0)
	{
		destroy_lists(&lists);
		return ret;
	}
	*ret_lists = lists;
	return 0;
}

/**
 * Find one in a list.
 *
 * @param name			its name, NULL for any
 * @param connection	name of its connection, NULL for any
 * @return				NULL if there is none
 */
static encdns_link_t *find(linked_list_t *list, const char *name,
						   const char *connection)
{
	enumerator_t *enumerator;
	encdns_link_t *current, *found = NULL;

	enumerator = list->create_enumerator(list);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		if ((!name || streq(current->name, name)) &&
			(!connection || streq(current->connection, connection)))
		{
			found = current;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

/*
 * Described in header
 */
int encdns_link_list(linked_list_t **ret_links)
{
	encdns_link_t *guard;
	lists_t lists;
	int ret;

	ret = list_all(&lists);
	if (ret)
	{
		return ret;
	}
	while (lists.guards->remove_first(lists.guards, (void**)&guard) == SUCCESS)
	{
		guard->name[strlen(guard->name) - strlen(GUARD)] = '\0';
		if (find(lists.links, guard->name, NULL))
		{
			free(guard);
		}
		else
		{
			lists.links->insert_last(lists.links, guard);
		}
	}
	lists.guards->destroy(lists.guards);
	*ret_links = lists.links;
	return 0;
}

/**
 * Append what keeps IPv6 from chattering on a link: no link-local address.
 */
static void append_quiet(request_t *request)
{
	uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct rtattr *spec, *inet6;

	spec = append(request, IFLA_AF_SPEC, NULL, 0);
	inet6 = append(request, AF_INET6, NULL, 0);
	append(request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	end(request, inet6);
	end(request, spec);
}

/**
 * Create a link of a kind.
 *
 * @param peer		name of the other end, NULL if the kind has none
 * @return			0 or a negative errno
 */
static int create_kind(const char *name, const char *kind, const char *peer)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct rtattr *linkinfo, *data, *other;
	request_t request;

	begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &info,
		  sizeof(info));
	append(&request, IFLA_IFNAME, name, strlen(name) + 1);
	linkinfo = append(&request, IFLA_LINKINFO, NULL, 0);
	append(&request, IFLA_INFO_KIND, kind, strlen(kind));
	if (peer)
	{
		data = append(&request, IFLA_INFO_DATA, NULL, 0);
		other = append(&request, VETH_INFO_PEER, &info, sizeof(info));
		append(&request, IFLA_IFNAME, peer, strlen(peer) + 1);
		end(&request, other);
		end(&request, data);
	}
	end(&request, linkinfo);
	return talk(&request, NULL, NULL);
}

/**
 * Make a link quiet and bring it up.
 *
 * @param alias		its alias, NULL for none
 * @return			0 or a negative errno
 */
static int bring_up(int index, const char *alias)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
	};
	request_t request;
	int ret;

	begin(&request, RTM_SETLINK, NLM_F_ACK, &info, sizeof(info));
	if (alias)
	{
		append(&request, IFLA_IFALIAS, alias, strlen(alias));
	}
	append_quiet(&request);
	ret = talk(&request, NULL, NULL);
	if (ret == -EAFNOSUPPORT || ret == -EOPNOTSUPP)
	{
		/* no IPv6 in this kernel, or disabled: nothing to be quietened */
		begin(&request, RTM_SETLINK, NLM_F_ACK, &info, sizeof(info));
		if (alias)
		{
			append(&request, IFLA_IFALIAS, alias, strlen(alias));
		}
		ret = talk(&request, NULL, NULL);
	}
	if (ret < 0)
	{
		return ret;
	}
	info.ifi_flags = info.ifi_change = IFF_UP;
	begin(&request, RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	return talk(&request, NULL, NULL);
}

/**
 * Give a link its address.
 *
 * The scope is site: enough for resolved, and the kernel never picks the address as a source for
 * anything that is not on this machine.
 *
 * @return			0 or a negative errno
 */
static int add_address(int index)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = 32,
		.ifa_scope = RT_SCOPE_SITE,
		.ifa_index = index,
	};
	request_t request;

	begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &info,
		  sizeof(info));
	append(&request, IFA_LOCAL, dummy_address, sizeof(dummy_address));
	append(&request, IFA_ADDRESS, dummy_address, sizeof(dummy_address));
	return talk(&request, NULL, NULL);
}

/**
 * Delete a link; a veth's other end goes with it.
 *
 * @return			0 or a negative errno
 */
static int delete(int index)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
	};
	request_t request;

	begin(&request, RTM_DELLINK, NLM_F_ACK, &info, sizeof(info));
	return talk(&request, NULL, NULL);
}

/**
 * Create a link of that name, a dummy or else a veth pair.
 *
 * @param link		has the name, gets the index
 * @return			0, -EEXIST if there is one, or another negative errno
 */
static int create(encdns_link_t *link)
{
	char peer[IF_NAMESIZE];
	int ret;

	ret = create_kind(link->name, "dummy", NULL);
	if (!ret)
	{
		link->index = if_nametoindex(link->name);
	}
	if (ret != -EOPNOTSUPP && ret != -ENOTSUP)
	{
		return ret;
	}
	snprintf(peer, sizeof(peer), "%.*s" PEER, IF_NAMESIZE - (int)sizeof(PEER),
			 link->name);
	ret = create_kind(link->name, "veth", peer);
	if (ret)
	{
		return ret;
	}
	link->index = if_nametoindex(link->name);
	/* a veth has carrier when both ends are up */
	ret = bring_up(if_nametoindex(peer), NULL);
	if (ret)
	{
		delete(link->index);
	}
	return ret;
}

/**
 * Make a link ready: quiet, up, with its alias and address.
 *
 * @param created	delete it if that fails
 * @return			0 or a negative errno
 */
static int make_ready(const encdns_link_t *link, bool created)
{
	int ret;

	ret = bring_up(link->index, link->connection);
	if (!ret)
	{
		ret = add_address(link->index);
	}
	if (ret && created)
	{
		delete(link->index);
	}
	return ret;
}

/**
 * Get the name of a link's guard.
 */
static void name_guard(const char *link, char name[IF_NAMESIZE])
{
	snprintf(name, IF_NAMESIZE, "%.*s" GUARD, IF_NAMESIZE - (int)sizeof(GUARD), link);
}

/**
 * Create a connection's link: under the number of its guard, where that has outlived it, or the first
 * one that no other connection has.
 *
 * @param link		has the connection, gets name and index
 * @return			0 or a negative errno
 */
static int create_free(encdns_link_t *link, linked_list_t *guards)
{
	encdns_link_t *guard;
	char name[IF_NAMESIZE];
	uint8_t i;
	int ret = -EEXIST;

	guard = find(guards, NULL, link->connection);
	if (guard)
	{
		snprintf(link->name, sizeof(link->name), "%.*s",
				 (int)(strlen(guard->name) - strlen(GUARD)), guard->name);
		ret = create(link);
	}
	for (i = 0; ret == -EEXIST && i < ENCDNS_LINKS_MAX; i++)
	{
		snprintf(link->name, sizeof(link->name), PREFIX "%d", i);
		name_guard(link->name, name);
		if (!find(guards, name, NULL))
		{
			ret = create(link);
		}
	}
	return ret;
}

/*
 * Described in header
 */
int encdns_link_ensure(const char *connection, encdns_link_t *ret_link)
{
	encdns_link_t link = {}, *found;
	lists_t lists;
	int ret;

	if (strlen(connection) > ENCDNS_ALIAS_MAX)
	{
		return -ENAMETOOLONG;
	}
	ret = list_all(&lists);
	if (ret)
	{
		return ret;
	}
	snprintf(link.connection, sizeof(link.connection), "%s", connection);
	found = find(lists.links, NULL, connection);
	if (found)
	{
		link = *found;
	}
	else
	{
		ret = create_free(&link, lists.guards);
	}
	if (!ret)
	{
		ret = make_ready(&link, !found);
	}
	destroy_lists(&lists);
	if (!ret)
	{
		*ret_link = link;
	}
	return ret;
}

/*
 * Described in header
 */
int encdns_link_guard(const encdns_link_t *link)
{
	encdns_link_t guard = *link, *found;
	lists_t lists;
	int ret;

	ret = list_all(&lists);
	if (ret)
	{
		return ret;
	}
	name_guard(link->name, guard.name);
	found = find(lists.guards, guard.name, NULL);
	if (found && !streq(found->connection, link->connection))
	{
		ret = -EEXIST;
	}
	else if (found)
	{
		guard.index = found->index;
	}
	else
	{
		ret = create(&guard);
	}
	if (!ret)
	{
		ret = make_ready(&guard, !found);
	}
	destroy_lists(&lists);
	return ret;
}

/**
 * Delete a link, or guard, if it is the connection's.
 *
 * @return			0, -ENODEV if it is not, or another negative errno
 */
static int delete_of(linked_list_t *list, const char *name,
					 const char *connection)
{
	encdns_link_t *link;

	link = find(list, name, connection);
	return link ? delete(link->index) : -ENODEV;
}

/*
 * Described in header
 */
int encdns_link_remove(const char *name, const char *connection)
{
	char guard[IF_NAMESIZE];
	lists_t lists;
	int ret, ret_guard;

	ret = list_all(&lists);
	if (ret)
	{
		return ret;
	}
	name_guard(name, guard);
	ret = delete_of(lists.links, name, connection);
	ret_guard = delete_of(lists.guards, guard, connection);
	destroy_lists(&lists);
	/* either may be gone before us */
	if (ret_guard != -ENODEV && (!ret || ret == -ENODEV))
	{
		ret = ret_guard;
	}
	return ret;
}
