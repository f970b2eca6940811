#include "tunnel.h"

#include <string.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

/* What has IPsec end in a device: charon's kernel-libipsec, and the kernel's. */
static const char *const kinds[] = {"tun", "xfrm", "vti", "vti6"};

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ifinfomsg link;
	};
	char attributes[2 * RTA_SPACE(sizeof(struct in6_addr))];
};

struct reply {
	struct nlmsghdr header;
	char rest[16384];
};

static void append(struct request *request, unsigned short type, const void *data, size_t length)
{
	struct rtattr *attribute =
		(struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), data, length);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_SPACE(length);
}

/* The kernel answers within send(). */
static bool ask(int fd, struct request *request, unsigned short expected, struct reply *reply)
{
	ssize_t n;

	request->header.nlmsg_flags = NLM_F_REQUEST;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		return false;
	n = recv(fd, reply, sizeof(*reply), MSG_DONTWAIT);
	return n > 0 && NLMSG_OK(&reply->header, n) && reply->header.nlmsg_type == expected;
}

static struct rtattr *find(
	struct rtattr *attribute, size_t length, unsigned short type, size_t least)
{
	for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
		if ((attribute->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(attribute) >= least)
			return attribute;
	return NULL;
}

/* 0: there is no route. */
static int device_of(int fd, const struct address *source, const struct address *server)
{
	size_t length = source->family == AF_INET ? sizeof(source->in) : sizeof(source->in6);
	struct request request = {
		.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(request.route))},
		.route = {
			.rtm_family = source->family, .rtm_dst_len = 8 * length, .rtm_src_len = 8 * length},
	};
	struct rtattr *attribute;
	struct reply reply;
	int ifindex;

	append(&request, RTA_DST, server->bytes, length);
	append(&request, RTA_SRC, source->bytes, length);
	if (!ask(fd, &request, RTM_NEWROUTE, &reply))
		return 0;
	attribute = find(RTM_RTA((struct rtmsg *)NLMSG_DATA(&reply.header)),
		RTM_PAYLOAD(&reply.header), RTA_OIF, sizeof(ifindex));
	if (!attribute)
		return 0;
	memcpy(&ifindex, RTA_DATA(attribute), sizeof(ifindex));
	return ifindex;
}

static bool is_tunnel(int fd, int ifindex)
{
	struct request request = {
		.header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(request.link))},
		.link = {.ifi_index = ifindex},
	};
	struct rtattr *info, *kind;
	struct reply reply;

	if (!ask(fd, &request, RTM_NEWLINK, &reply))
		return false;
	info = find(IFLA_RTA((struct ifinfomsg *)NLMSG_DATA(&reply.header)),
		IFLA_PAYLOAD(&reply.header), IFLA_LINKINFO, 0);
	kind = info ? find(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INFO_KIND, 1) : NULL;
	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(RTA_DATA(kind), kinds[i], RTA_PAYLOAD(kind)) == 0)
			return true;
	return false;
}

void tunnel_bind(int fd, const struct address *source, const struct address *server)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ifindex;

	if (netlink < 0)
		return;
	ifindex = device_of(netlink, source, server);
	/* One that is gone meanwhile has the socket lead nowhere, as it should. */
	if (ifindex > 0 && is_tunnel(netlink, ifindex))
		(void)setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex));
	close(netlink);
}
