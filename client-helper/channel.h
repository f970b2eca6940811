/*
 * A connection to a server, TCP alone or with TLS over it: opened to the first of the server's
 * addresses that answers (RFC 8305 in spirit: the next one is tried too after LIMIT_EYEBALLS_USEC,
 * the first to finish its handshake stays), from the virtual IP, within LIMIT_HANDSHAKE_USEC.
 *
 * No event is sent from within the functions below. Only in closed may the receiver free the
 * channel.
 */
#pragma once

#include <sys/types.h>

#include "transport.h"

struct channel;

struct channel_events {
	void (*opened)(struct channel *channel, void *userdata);
	void (*readable)(struct channel *channel, void *userdata);
	void (*writable)(struct channel *channel, void *userdata); /* after a write said -EAGAIN */
	/* reason: NULL where an open channel was closed by the server */
	void (*closed)(struct channel *channel, bool final, const char *reason, void *userdata);
};

/*
 * alpn: the protocol to offer over TLS, and with must_agree to insist on; NULL: no TLS. Of config
 * only event, server, virtual_ips, tls, ticket and attempt are used. 0, or -errno and a reason
 * where no address can be tried.
 */
int channel_open(const struct carrier_config *config, const char *alpn, bool must_agree,
	const struct channel_events *events, void *userdata, struct channel **ret,
	char reason[static LIMIT_ERROR_TEXT]);
struct channel *channel_free(struct channel *channel);

/*
 * Octets read or written, more than 0. -EAGAIN: wait for the next event. Other -errno on reading:
 * the server closed or broke the connection, the caller reports it up and frees the channel. Errors
 * on writing show as the end of reading.
 */
ssize_t channel_read(struct channel *channel, void *buffer, size_t size);
ssize_t channel_write(struct channel *channel, const void *buffer, size_t size);

/*
 * Acknowledges what has been read now, not when the kernel gets around to it: for when more answers
 * are to come. A server that leaves Nagle's algorithm on keeps them back until then, up to 40 ms.
 */
void channel_acknowledge(struct channel *channel);

/* There is more to read that no event will tell of. */
bool channel_pending(const struct channel *channel);

const char *channel_tls_version(const struct channel *channel); /* NULL: no TLS */
uint64_t channel_handshake_usec(const struct channel *channel);

/*
 * A socket for the server's address, bound to the virtual IP of its family, and to the
 * tunnel's device where it has one: nothing is sent before.
 * type: SOCK_STREAM or SOCK_DGRAM. The descriptor, or -errno: -EADDRNOTAVAIL where there is no
 * virtual IP of that family, or it is gone (D7).
 */
int channel_socket(const struct carrier_config *config, const struct address *address, int type);
