/*
 * TLS towards a resolver: OpenSSL behind one narrow header. The strict profile only (RFC 8310
 * section 8, RFC 9464 section 4): the server is authenticated by its SPKI digests where there are
 * any (I13), otherwise by PKIX and its ADN among the certificate's subjectAltName (I15), and
 * nothing can be read or written before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bounds.h"
#include "server.h"

/* A trust store and what all connections share. */
struct tls_context;

/* ca_file: PEM; NULL: the system's trust store. 0, -ENOENT, -EINVAL (no certificate in it),
 * -ENOMEM. */
int tls_context_new(const char *ca_file, struct tls_context **ret);
struct tls_context *tls_context_free(struct tls_context *context);

/* The latest session of one server. Belongs to one server as it is configured, never to two. */
struct tls_ticket;

int tls_ticket_new(struct tls_ticket **ret);
struct tls_ticket *tls_ticket_free(struct tls_ticket *ticket);

struct tls;

/*
 * A connection over a socket that is connected and does not block, and stays the caller's. alpn:
 * the protocol to offer. server and ticket outlive it. 0 or -ENOMEM.
 */
int tls_new(struct tls_context *context, const struct server *server, struct tls_ticket *ticket,
	const char *alpn, int fd, struct tls **ret);
struct tls *tls_free(struct tls *tls);

/*
 * Goes on with the handshake. 0: done and authenticated. -EAGAIN: wait for the socket (*ret_write:
 * until it is writable, else readable). -EACCES: no digest matches, final. Other -errno: failed. On
 * failure reason says why.
 */
int tls_handshake(struct tls *tls, bool *ret_write, char reason[static LIMIT_ERROR_TEXT]);

/* Octets read or written (more than 0), -EAGAIN, -ECONNRESET (closed by the
   other side), -EPROTO. */
ssize_t tls_read(struct tls *tls, void *buffer, size_t size);
ssize_t tls_write(struct tls *tls, const void *buffer, size_t size);

/* More has been read from the socket than was handed out: the socket's readiness does
   not show it. */
bool tls_pending(const struct tls *tls);

const char *tls_version(const struct tls *tls); /* "TLSv1.3" */
const char *tls_alpn(
	const struct tls *tls, size_t *ret_length); /* what the server chose; NULL: none */
bool tls_resumed(const struct tls *tls);
