#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include "dns.h"
#include "forwarder.h"
#include "util.h"

#define QUERY_MAX 320
#define TYPE_SOA 6
#define PATIENCE_USEC 6000000

/* Returns the length, 0: no name. */
static size_t write_query(const char *name, uint8_t query[static QUERY_MAX])
{
	size_t at = DNS_HEADER_SIZE;

	memset(query, 0, DNS_HEADER_SIZE);
	if (getrandom(query, 2, 0) != 2)
		return 0;
	query[2] = 1; /* recursion desired */
	query[5] = 1; /* one question */
	while (*name && *name != '.') {
		size_t length = strcspn(name, ".");

		if (length > 63 || at + length + 6 > QUERY_MAX)
			return 0;
		query[at++] = (uint8_t)length;
		memcpy(query + at, name, length);
		at += length;
		name += length + (name[length] == '.');
	}
	query[at++] = 0;
	query[at++] = 0;
	query[at++] = TYPE_SOA;
	query[at++] = 0;
	query[at++] = 1; /* IN */
	return at;
}

static int send_query(const struct address *address, uint16_t port, const char *name, int *ret_fd)
{
	struct sockaddr_storage target;
	socklen_t length = address_to_sockaddr(address, port, &target);
	uint8_t query[QUERY_MAX];
	size_t size = write_query(name, query);
	cleanup_close int fd = -1;

	if (size == 0)
		return -EINVAL;
	fd = socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&target, length) < 0 ||
		send(fd, query, size, 0) < 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int read_rcode(int fd)
{
	struct dns_message parsed;
	uint8_t answer[4096];
	ssize_t n = recv(fd, answer, sizeof(answer), 0);

	if (n < 0 || dns_read(answer, (size_t)n, &parsed) < 0 || !parsed.response)
		return -1;
	return parsed.rcode;
}

int probe_listener(const struct address *address, uint16_t port, const char *name, int *ret_rcode)
{
	cleanup_close int fd = -1;
	struct pollfd ready;
	int r;

	r = send_query(address, port, name, &fd);
	if (r < 0)
		return r;
	ready = (struct pollfd){.fd = fd, .events = POLLIN};
	*ret_rcode = poll(&ready, 1, PATIENCE_USEC / 1000) == 1 ? read_rcode(fd) : -1;
	return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	int *rcode = userdata;

	*rcode = read_rcode(fd);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void ignore(struct forwarder *forwarder, void *userdata)
{
}

static int copy_status(const struct forwarder *forwarder, int rcode, struct probe_result *ret)
{
	struct server_status status = forwarder_server_status(forwarder, 0);
	struct probe_result result = {
		.rcode = rcode,
		.answered = rcode >= 0 && status.answers > 0,
		.pinned = status.authenticated_by && strcmp(status.authenticated_by, "digest") == 0,
		.handshake_usec = status.handshake_usec,
	};

	if (status.last_error)
		set_text(&result.error, "%s", status.last_error);
	if (status.tls_version)
		set_text(&result.tls_version, "%s", status.tls_version);
	*ret = result;
	return 0;
}

static int ask(sd_event *event, struct forwarder *forwarder, const struct address *loopback,
	const char *name, int *ret_rcode)
{
	cleanup(sd_event_source_unrefp) sd_event_source *readable = NULL, *timer = NULL;
	cleanup_close int fd = -1;
	int r;

	r = send_query(loopback, forwarder_port(forwarder), name, &fd);
	if (r >= 0)
		r = sd_event_add_io(event, &readable, fd, EPOLLIN, on_readable, ret_rcode);
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, &timer, CLOCK_MONOTONIC, PATIENCE_USEC, 0, on_time, NULL);
	return r < 0 ? r : sd_event_loop(event);
}

int probe_run(const struct probe *probe, struct probe_result *ret)
{
	cleanup(sd_event_unrefp) sd_event *event = NULL;
	struct address loopback = {.family = AF_INET, .in.s_addr = htonl(INADDR_LOOPBACK)};
	const struct upstream upstream = {
		.servers = probe->server,
		.n_servers = 1,
		.virtual_ips = probe->virtual_ips,
		.n_virtual_ips = probe->n_virtual_ips,
		.ca_certificates = probe->ca_certificates,
	};
	struct forwarder *forwarder = NULL;
	int r, rcode = -1;

	r = sd_event_new(&event);
	if (r >= 0)
		r = forwarder_new(event, &loopback, 0, NULL, ignore, NULL, &forwarder);
	if (r >= 0)
		r = forwarder_set_upstream(forwarder, &upstream);
	if (r >= 0)
		r = ask(event, forwarder, &loopback, probe->name, &rcode);
	if (r >= 0)
		r = copy_status(forwarder, rcode, ret);
	forwarder_free(forwarder);
	return r;
}

void probe_result_clear(struct probe_result *result)
{
	free(result->error);
	free(result->tls_version);
	memset(result, 0, sizeof(*result));
}
