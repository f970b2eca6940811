#include "dot_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <openssl/ssl.h>

#include "client-helper/dns.h"

enum { BATCH_MAX = 64, MESSAGE = 65535 };

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
	const unsigned char *in, unsigned in_length, void *userdata)
{
	struct dot_server *server = userdata;

	server->alpn_ok = (in_length == 4 && memcmp(in, "\3dot", 4) == 0) ||
					  (in_length == 3 && memcmp(in, "\2h2", 3) == 0);
	*out = in + 1;
	*out_length = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static int see_name(SSL *ssl, int *alert, void *userdata)
{
	struct dot_server *server = userdata;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	server->sni_ok = name && strcmp(name, "dns.corp.example") == 0;
	return SSL_TLSEXT_ERR_OK;
}

static bool read_all(SSL *ssl, uint8_t *data, size_t length)
{
	while (length > 0) {
		int n = SSL_read(ssl, data, length);

		if (n <= 0)
			return false;
		data += n;
		length -= n;
	}
	return true;
}

/* Length and message; 0: the client has gone. */
static size_t read_query(struct dot_server *server, SSL *ssl, uint8_t *frame)
{
	size_t length;

	if (!read_all(ssl, frame, 2))
		return 0;
	length = dns_get16(frame);
	if (length < DNS_HEADER_SIZE || !read_all(ssl, frame + 2, length))
		return 0;
	server->queries++;
	if (length % 128 != 0)
		server->unpadded = true;
	return 2 + length;
}

/* The query as its own answer. */
static void write_frame(struct dot_server *server, SSL *ssl, uint8_t *frame, size_t length)
{
	frame[4] |= 0x80;
	if (server->manner == DOT_HANGS_UP)
		length /= 2;
	if (server->manner != DOT_CRUMBS) {
		SSL_write(ssl, frame, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		SSL_write(ssl, frame + i, 1);
}

static void write_forgeries(struct dot_server *server, SSL *ssl, uint8_t *frame, size_t length)
{
	frame[2] ^= 0x55;
	write_frame(server, ssl, frame, length);
	frame[2] ^= 0x55;
	frame[15] ^= 1; /* a letter of the name */
	write_frame(server, ssl, frame, length);
	frame[15] ^= 1;
	write_frame(server, ssl, frame, length);
	write_frame(server, ssl, frame, length);
}

/* Makes the OPT record, which ends the query, as long as the message may be. */
static void write_huge(struct dot_server *server, SSL *ssl, uint8_t *frame, size_t length)
{
	uint8_t *huge = calloc(1, 2 + MESSAGE);
	struct dns_message parsed;

	assert_non_null(huge);
	assert_int_equal(dns_read(frame + 2, length - 2, &parsed), 0);
	memcpy(huge, frame, length);
	dns_put16(huge, MESSAGE);
	dns_put16(huge + 2 + parsed.opt_offset + 9, MESSAGE - parsed.opt_offset - DNS_OPT_SIZE);
	/* One option of a kind that nobody knows. */
	dns_put16(huge + 2 + parsed.opt_offset + 11, 65001);
	dns_put16(huge + 2 + parsed.opt_offset + 13, MESSAGE - parsed.opt_offset - DNS_OPT_SIZE - 4);
	write_frame(server, ssl, huge, 2 + MESSAGE);
	free(huge);
}

static bool speaks_h2(SSL *ssl)
{
	const unsigned char *name;
	unsigned length;

	SSL_get0_alpn_selected(ssl, &name, &length);
	return length == 2 && memcmp(name, "h2", 2) == 0;
}

/* False: the connection ends here. */
static bool write_octets(struct dot_server *server, SSL *ssl, const uint8_t *octets, size_t length)
{
	size_t piece = server->manner == DOT_CRUMBS ? 1 : length;

	if (server->manner == DOT_HANGS_UP && server->queries > 0) {
		SSL_write(ssl, octets, length / 2);
		return false;
	}
	for (size_t i = 0; i < length; i += piece)
		SSL_write(ssl, octets + i, piece);
	return true;
}

static void serve_h2(struct dot_server *server, SSL *ssl)
{
	struct h2_server_config config = {.manner = server->h2, .times = &server->times};
	struct h2_server *h2 = h2_server_new(&config);
	unsigned before = 0;
	uint8_t octets[16384];
	bool more = true;
	size_t n;
	int received = 0;

	do {
		if (received > 0 && !h2_server_receive(h2, octets, received))
			break;
		server->queries += h2_server_seen(h2).requests - before;
		before = h2_server_seen(h2).requests;
		while (more && (n = h2_server_output(h2, octets, sizeof(octets))) > 0)
			more = write_octets(server, ssl, octets, n);
		received = more ? SSL_read(ssl, octets, sizeof(octets)) : 0;
	} while (received > 0);
	h2_server_free(h2);
}

static void serve(struct dot_server *server, SSL *ssl)
{
	static uint8_t frames[BATCH_MAX][2 + MESSAGE];
	size_t lengths[BATCH_MAX];
	unsigned n = 0;

	while ((lengths[n] = read_query(server, ssl, frames[n])) > 0) {
		switch (server->manner) {
		case DOT_SILENT:
			continue;
		case DOT_REVERSED:
			if (++n < server->batch)
				continue;
			while (n > 0) {
				n--;
				write_frame(server, ssl, frames[n], lengths[n]);
			}
			continue;
		case DOT_CLOSES:
			if (server->times > 0) {
				server->times--;
				return;
			}
			break;
		case DOT_FORGES:
			write_forgeries(server, ssl, frames[0], lengths[0]);
			continue;
		case DOT_HUGE:
			write_huge(server, ssl, frames[0], lengths[0]);
			continue;
		case DOT_LATE:
			usleep(DOT_LATE_USEC);
			break;
		case DOT_HANGS_UP:
			write_frame(server, ssl, frames[0], lengths[0]);
			return;
		default:
			break;
		}
		write_frame(server, ssl, frames[0], lengths[0]);
	}
}

static void *run(void *userdata)
{
	struct dot_server *server = userdata;
	int client, one = 1;

	while ((client = accept(server->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(server->context);

		server->connections++;
		(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		SSL_set_fd(ssl, client);
		if (server->manner == DOT_NO_HANDSHAKE || server->manner == DOT_STALLS) {
			ssize_t received;
			char octet;

			if (server->manner == DOT_STALLS)
				(void)send(client, "\x16\x03\x03\x00\x7a\x02", 6, MSG_NOSIGNAL);
			while ((received = recv(client, &octet, 1, 0)) > 0)
				;
			server->resets += received < 0 && errno == ECONNRESET;
		} else if (SSL_accept(ssl) == 1) {
			server->handshakes++;
			server->resumptions += SSL_session_reused(ssl);
			if (speaks_h2(ssl))
				serve_h2(server, ssl);
			else
				serve(server, ssl);
			if (server->abrupt)
				(void)setsockopt(
					client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
			else
				SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(client);
	}
	return NULL;
}

void dot_server_start(struct dot_server *server, const struct identity *identity)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t length = sizeof(name);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	assert_non_null(context);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
	SSL_CTX_set_alpn_select_cb(context, choose_alpn, server);
	SSL_CTX_set_tlsext_servername_callback(context, see_name);
	SSL_CTX_set_tlsext_servername_arg(context, server);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
	if (server->tls_max)
		assert_int_equal(SSL_CTX_set_max_proto_version(context, server->tls_max), 1);
	SSL_CTX_set_min_proto_version(context, 0);
	SSL_CTX_set_security_level(context, 0);
	server->context = context;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->fd >= 0);
	name.sin_port = htons(server->port);
	name.sin_addr.s_addr = htonl(server->address ? server->address : INADDR_LOOPBACK);
	assert_int_equal(setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(server->fd, 16), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&name, &length), 0);
	server->port = ntohs(name.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

void dot_server_stop(struct dot_server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
	SSL_CTX_free(server->context);
	server->context = NULL;
}
