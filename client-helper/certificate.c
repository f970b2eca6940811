#include "certificate.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "util.h"

#define PATIENCE 5 /* seconds for each step towards a server */

static void free_x509(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_ssl(SSL **ssl)
{
	SSL_free(*ssl);
}

static void free_context(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

static void __attribute__((format(printf, 2, 3)))
explain(char reason[static LIMIT_ERROR_TEXT], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, LIMIT_ERROR_TEXT, fmt, args);
	va_end(args);
	ERR_clear_error();
}

static int read_names(const X509 *x509, char **ret)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	char *text = strdup("");

	for (int i = 0; text && names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		cleanup_free char *shorter = text, *host = NULL;

		text = NULL;
		if (name->type != GEN_DNS) {
			text = steal(shorter);
			continue;
		}
		host =
			readable(ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
		if (host)
			set_text(&text, "%s%s%s", shorter, *shorter ? ", " : "", host);
	}
	GENERAL_NAMES_free(names);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static int read_pins(const X509 *x509, struct pin pins[static CERTIFICATE_PINS])
{
	static const struct {
		uint16_t algorithm;
		const EVP_MD *(*digest)(void);
	} hashes[CERTIFICATE_PINS] = {{2, EVP_sha256}, {3, EVP_sha384}, {4, EVP_sha512}};
	unsigned char *spki = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki), r = length > 0 ? 0 : -EINVAL;

	for (size_t i = 0; i < CERTIFICATE_PINS && r == 0; i++) {
		unsigned size = 0;

		if (EVP_Digest(spki, length, pins[i].digest, &size, hashes[i].digest(), NULL) != 1)
			r = -EINVAL;
		pins[i].algorithm = hashes[i].algorithm;
		pins[i].length = (uint8_t)size;
	}
	OPENSSL_free(spki);
	return r;
}

static time_t read_time(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

static int describe(const X509 *x509, struct certificate *ret)
{
	struct certificate certificate = {
		.not_before = read_time(X509_get0_notBefore(x509)),
		.not_after = read_time(X509_get0_notAfter(x509)),
	};
	int r;

	r = read_pins(x509, certificate.pins);
	if (r >= 0)
		r = read_names(x509, &certificate.names);
	if (r >= 0)
		*ret = certificate;
	return r;
}

int certificate_read(
	const char *path, struct certificate *ret, char reason[static LIMIT_ERROR_TEXT])
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup(free_x509) X509 *x509 = NULL;
	int r;

	if (!file) {
		r = -errno;
		explain(reason, "%s cannot be read: %s", path, strerror(-r));
		return r;
	}
	x509 = PEM_read_X509(file, NULL, NULL, NULL);
	if (!x509) {
		rewind(file);
		x509 = d2i_X509_fp(file, NULL);
	}
	if (!x509) {
		explain(reason, "%s holds no certificate", path);
		return -EINVAL;
	}
	ERR_clear_error();
	r = describe(x509, ret);
	if (r < 0)
		explain(reason, "%s holds a certificate without a usable key", path);
	return r;
}

/* ---- servers ---- */

static int connect_to(const char *host, uint16_t port, char reason[static LIMIT_ERROR_TEXT])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
	struct timeval patience = {.tv_sec = PATIENCE};
	char service[8];
	int fd = -1, r, error = ENOENT;

	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &found);
	if (r != 0) {
		explain(reason, "%s: %s", host, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0) {
			error = errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
			error = errno == EINPROGRESS ? ETIMEDOUT : errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	if (fd < 0) {
		explain(reason, "%s port %u: %s", host, port, strerror(error));
		return -error;
	}
	return fd;
}

static bool is_address(const char *host)
{
	uint8_t octets[16];

	return inet_pton(AF_INET, host, octets) == 1 || inet_pton(AF_INET6, host, octets) == 1;
}

/* The verdict is asked for afterwards: a certificate is wanted even where nobody vouches for it. */
static int accept_to_look(int fine, X509_STORE_CTX *store)
{
	return 1;
}

static SSL *prepare(SSL_CTX *context, const char *host, int fd)
{
	static const uint8_t protocols[] = "\003dot\002h2";
	SSL *ssl = SSL_new(context);

	if (!ssl)
		return NULL;
	SSL_set_verify(ssl, SSL_VERIFY_PEER, accept_to_look);
	SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1);
	SSL_set_hostflags(
		ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (!is_address(host))
		SSL_set_tlsext_host_name(ssl, host);
	if ((is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
						  : SSL_set1_host(ssl, host)) != 1 ||
		SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

int certificate_fetch(const char *host, uint16_t port, struct certificate *ret,
	const char **ret_distrust, char reason[static LIMIT_ERROR_TEXT])
{
	cleanup(free_context) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	cleanup_close int fd = -1;
	cleanup(free_ssl) SSL *ssl = NULL;
	cleanup(free_x509) X509 *x509 = NULL;
	long verdict;
	int r;

	fd = connect_to(host, port, reason);
	if (fd < 0)
		return fd;
	if (context && SSL_CTX_set_default_verify_paths(context) == 1)
		ssl = prepare(context, host, fd);
	if (!ssl) {
		explain(reason, "no memory");
		return -ENOMEM;
	}
	if (SSL_connect(ssl) != 1) {
		unsigned long error = ERR_peek_error();

		explain(reason, "%s port %u: the TLS handshake failed: %s", host, port,
			error ? ERR_reason_error_string(error) : "no answer");
		return -EPROTO;
	}
	x509 = SSL_get1_peer_certificate(ssl);
	if (!x509) {
		explain(reason, "%s port %u shows no certificate", host, port);
		return -EPROTO;
	}
	r = describe(x509, ret);
	if (r < 0) {
		explain(reason, "the certificate of %s has no usable key", host);
		return r;
	}
	verdict = SSL_get_verify_result(ssl);
	*ret_distrust = verdict == X509_V_OK ? NULL : X509_verify_cert_error_string(verdict);
	ERR_clear_error();
	return 0;
}

void certificate_clear(struct certificate *certificate)
{
	free(certificate->names);
	memset(certificate, 0, sizeof(*certificate));
}
