#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tls.h"
#include "tunnel.h"

enum { TIMER_ACCURACY_USEC = 10000 };

struct attempt {
	struct channel *channel;
	int fd;
	sd_event_source *io;
	struct tls *tls;
	bool connected;
};

struct channel {
	struct carrier_config config;
	const char *alpn; /* NULL: no TLS */
	bool must_agree;
	const struct channel_events *events;
	void *userdata;

	/* while it opens */
	struct attempt *attempts; /* one per address, in the order of trial */
	size_t n_attempts, n_started, n_failed;
	sd_event_source *timer;
	uint64_t began;
	char reason[LIMIT_ERROR_TEXT];

	/* while it is open */
	struct attempt *winner;
	bool want_write;
	uint64_t handshake_usec;
};

static uint64_t now(struct channel *channel)
{
	uint64_t usec = 0;

	(void)sd_event_now(channel->config.event, CLOCK_MONOTONIC, &usec);
	return usec;
}

/*
 * Nothing of it stays behind in the kernel: what was not acknowledged yet would be sent again after
 * the tunnel is gone, wherever the routes lead then, be it a client hello with the server's name.
 */
static void attempt_close(struct attempt *attempt)
{
	static const struct linger abort_at_once = {.l_onoff = 1, .l_linger = 0};

	attempt->io = sd_event_source_disable_unref(attempt->io);
	attempt->tls = tls_free(attempt->tls);
	if (attempt->fd >= 0) {
		(void)setsockopt(
			attempt->fd, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof(abort_at_once));
		close(attempt->fd);
	}
	attempt->fd = -1;
}

struct channel *channel_free(struct channel *channel)
{
	if (!channel)
		return NULL;
	for (size_t i = 0; i < channel->n_attempts; i++)
		attempt_close(&channel->attempts[i]);
	sd_event_source_disable_unref(channel->timer);
	free(channel->attempts);
	free(channel);
	return NULL;
}

int channel_socket(const struct carrier_config *config, const struct address *address, int type)
{
	const struct address *source = NULL;
	struct sockaddr_storage name;
	int fd, one = 1, error;

	for (size_t i = 0; i < config->n_virtual_ips && !source && !address->outside; i++)
		if (config->virtual_ips[i].family == address->family)
			source = &config->virtual_ips[i];
	if (config->n_virtual_ips > 0 && !source && !address->outside)
		return -EADDRNOTAVAIL;
	fd = socket(address->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM) {
		/* With connect() the port need only be free towards that one server. */
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
			goto failed;
	}
	if (source && bind(fd, (struct sockaddr *)&name, address_to_sockaddr(source, 0, &name)) < 0)
		goto failed;
	if (source)
		tunnel_bind(fd, source, address);
	if (connect(fd, (struct sockaddr *)&name,
			address_to_sockaddr(address, config->server->port, &name)) < 0 &&
		errno != EINPROGRESS)
		goto failed;
	return fd;

failed:
	error = -errno;
	close(fd);
	return error;
}

static const struct address *address_of(const struct attempt *attempt)
{
	const struct channel *channel = attempt->channel;
	size_t index = attempt - channel->attempts + channel->config.attempt;

	return &channel->config.server->addresses[index % channel->config.server->n_addresses];
}

/* A sentence about TLS says more than one about an address that does not answer. */
static void note_failure(struct attempt *attempt, const char *verb, int error)
{
	struct channel *channel = attempt->channel;
	char text[INET6_ADDRSTRLEN];
	const struct address *address = address_of(attempt);

	if (channel->reason[0])
		return;
	inet_ntop(address->family, address->bytes, text, sizeof(text));
	if (error == -EADDRNOTAVAIL)
		snprintf(channel->reason, sizeof(channel->reason),
			"%s: there is no virtual IP to reach it from", text);
	else
		snprintf(channel->reason, sizeof(channel->reason), "%s %s port %u: %s", verb, text,
			channel->config.server->port, strerror(-error));
}

static void report_closed(struct channel *channel, bool final)
{
	char reason[LIMIT_ERROR_TEXT]; /* outlives the channel */

	memcpy(reason, channel->reason, sizeof(reason));
	channel->events->closed(channel, final, reason, channel->userdata);
}

/* Its io callback takes over when it is connected. False: this address has failed at once. */
static bool attempt_start(struct attempt *attempt, sd_event_io_handler_t on_io)
{
	struct channel *channel = attempt->channel;
	int result;

	channel->n_started++;
	result = attempt->fd = channel_socket(&channel->config, address_of(attempt), SOCK_STREAM);
	if (result >= 0)
		result = sd_event_add_io(
			channel->config.event, &attempt->io, attempt->fd, EPOLLOUT, on_io, attempt);
	if (result < 0) {
		note_failure(attempt, "cannot connect to", result);
		attempt_close(attempt);
		channel->n_failed++;
		return false;
	}
	return true;
}

/* Starts the next addresses until one is on its way. False: there is none left and none pending. */
static bool start_next(struct channel *channel, sd_event_io_handler_t on_io)
{
	while (channel->n_started < channel->n_attempts)
		if (attempt_start(&channel->attempts[channel->n_started], on_io))
			return true;
	return channel->n_failed < channel->n_attempts;
}

static void win(struct attempt *attempt)
{
	struct channel *channel = attempt->channel;

	channel->winner = attempt;
	for (size_t i = 0; i < channel->n_attempts; i++)
		if (&channel->attempts[i] != attempt)
			attempt_close(&channel->attempts[i]);
	channel->timer = sd_event_source_disable_unref(channel->timer);
	channel->handshake_usec = now(channel) - channel->began;
	(void)sd_event_source_set_io_events(attempt->io, EPOLLIN);
	channel->events->opened(channel, channel->userdata);
}

/* 0: connected and, where wanted, secured. -EAGAIN: goes on later. Else the attempt has failed. */
static int attempt_proceed(struct attempt *attempt)
{
	struct channel *channel = attempt->channel;
	char reason[LIMIT_ERROR_TEXT] = "";
	bool want_write = false;
	int result;

	if (!attempt->connected) {
		int error = 0;
		socklen_t size = sizeof(error);

		if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		if (error) {
			note_failure(attempt, "cannot connect to", -error);
			return -error;
		}
		attempt->connected = true;
		if (!channel->alpn)
			return 0;
		result = tls_new(channel->config.tls, channel->config.server, channel->config.ticket,
			channel->alpn, attempt->fd, &attempt->tls);
		if (result < 0) {
			note_failure(attempt, "cannot connect to", result);
			return result;
		}
	}
	result = tls_handshake(attempt->tls, &want_write, reason);
	if (result == -EAGAIN) {
		(void)sd_event_source_set_io_events(attempt->io, want_write ? EPOLLOUT : EPOLLIN);
		return result;
	}
	if (result == 0 && channel->must_agree) {
		size_t length;
		const char *chosen = tls_alpn(attempt->tls, &length);

		if (!chosen || length != strlen(channel->alpn) ||
			memcmp(chosen, channel->alpn, length) != 0) {
			snprintf(reason, sizeof(reason), "the server does not speak %s", channel->alpn);
			result = -EPROTO;
		}
	}
	if (result < 0)
		memcpy(channel->reason, reason, sizeof(reason));
	return result;
}

static int on_attempt(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct attempt *attempt = userdata;
	struct channel *channel = attempt->channel;
	int result;

	if (channel->winner) {
		if (revents & EPOLLOUT)
			channel->events->writable(channel, channel->userdata);
		if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
			channel->events->readable(channel, channel->userdata);
		return 0;
	}
	result = attempt_proceed(attempt);
	if (result == 0) {
		win(attempt);
	} else if (result == -EACCES) {
		report_closed(channel, true);
	} else if (result != -EAGAIN) {
		attempt_close(attempt);
		channel->n_failed++;
		if (!start_next(channel, on_attempt))
			report_closed(channel, false);
	}
	return 0;
}

static uint64_t next_deadline(const struct channel *channel)
{
	uint64_t next = channel->began + channel->n_started * LIMIT_EYEBALLS_USEC;
	uint64_t last = channel->began + LIMIT_HANDSHAKE_USEC;

	return channel->n_started < channel->n_attempts && next < last ? next : last;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct channel *channel = userdata;
	bool connected = false;

	if (usec < channel->began + LIMIT_HANDSHAKE_USEC) {
		if (!start_next(channel, on_attempt)) {
			report_closed(channel, false);
			return 0;
		}
		(void)sd_event_source_set_time(source, next_deadline(channel));
		(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	for (size_t i = 0; i < channel->n_attempts; i++)
		connected = connected || (channel->attempts[i].fd >= 0 && channel->attempts[i].connected);
	if (!channel->reason[0])
		snprintf(channel->reason, sizeof(channel->reason), "%s within %u seconds",
			connected ? "the TLS handshake was not finished" : "the server does not answer",
			(unsigned)(LIMIT_HANDSHAKE_USEC / 1000000));
	report_closed(channel, false);
	return 0;
}

int channel_open(const struct carrier_config *config, const char *alpn, bool must_agree,
	const struct channel_events *events, void *userdata, struct channel **ret,
	char reason[static LIMIT_ERROR_TEXT])
{
	struct channel *channel = calloc(1, sizeof(*channel));
	size_t n = config->server->n_addresses;
	int result;

	if (!channel || n == 0) {
		free(channel);
		snprintf(reason, LIMIT_ERROR_TEXT, n == 0 ? "the server has no address" : "out of memory");
		return n == 0 ? -EADDRNOTAVAIL : -ENOMEM;
	}
	channel->config = *config;
	channel->alpn = alpn;
	channel->must_agree = must_agree;
	channel->events = events;
	channel->userdata = userdata;
	channel->began = now(channel);
	n = n < LIMIT_ADDRESSES ? n : LIMIT_ADDRESSES;
	channel->attempts = calloc(n, sizeof(*channel->attempts));
	if (!channel->attempts) {
		channel_free(channel);
		snprintf(reason, LIMIT_ERROR_TEXT, "out of memory");
		return -ENOMEM;
	}
	channel->n_attempts = n;
	for (size_t i = 0; i < n; i++)
		channel->attempts[i] = (struct attempt){.channel = channel, .fd = -1};
	if (!start_next(channel, on_attempt)) {
		memcpy(reason, channel->reason, LIMIT_ERROR_TEXT);
		channel_free(channel);
		return -EHOSTUNREACH;
	}
	result = sd_event_add_time(config->event, &channel->timer, CLOCK_MONOTONIC,
		next_deadline(channel), TIMER_ACCURACY_USEC, on_timer, channel);
	if (result < 0) {
		channel_free(channel);
		snprintf(reason, LIMIT_ERROR_TEXT, "out of memory");
		return result;
	}
	*ret = channel;
	return 0;
}

ssize_t channel_read(struct channel *channel, void *buffer, size_t size)
{
	struct attempt *attempt = channel->winner;
	ssize_t n;

	if (attempt->tls)
		return tls_read(attempt->tls, buffer, size);
	n = recv(attempt->fd, buffer, size, 0);
	if (n == 0)
		return -ECONNRESET;
	return n > 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

/* epoll_ctl only when what we wait for changes. */
static void wait_for_write(struct channel *channel, bool want)
{
	if (channel->want_write == want)
		return;
	channel->want_write = want;
	(void)sd_event_source_set_io_events(channel->winner->io, want ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

ssize_t channel_write(struct channel *channel, const void *buffer, size_t size)
{
	struct attempt *attempt = channel->winner;
	ssize_t n;

	if (attempt->tls) {
		n = tls_write(attempt->tls, buffer, size);
	} else {
		n = send(attempt->fd, buffer, size, MSG_NOSIGNAL);
		if (n < 0)
			n = errno == EINTR ? -EAGAIN : -errno;
	}
	if (n < 0 && n != -EAGAIN) {
		/* Makes the socket readable, so that the end is told once and from the event loop. */
		(void)shutdown(attempt->fd, SHUT_RDWR);
		n = -EAGAIN;
	}
	wait_for_write(channel, n == -EAGAIN);
	return n;
}

void channel_acknowledge(struct channel *channel)
{
	int one = 1;

	(void)setsockopt(channel->winner->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

bool channel_pending(const struct channel *channel)
{
	return channel->winner->tls && tls_pending(channel->winner->tls);
}

const char *channel_tls_version(const struct channel *channel)
{
	return channel->winner && channel->winner->tls ? tls_version(channel->winner->tls) : NULL;
}

uint64_t channel_handshake_usec(const struct channel *channel)
{
	return channel->handshake_usec;
}
