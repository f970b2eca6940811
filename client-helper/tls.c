#include "tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *bio;
};

struct tls_ticket {
	SSL_SESSION *session;
	time_t authenticated; /* when the server last showed a certificate; resumptions don't move it */
};

struct tls {
	SSL *ssl;
	const struct server *server;
	struct tls_ticket *ticket;
	bool mismatch; /* of the digests */
	char reason[LIMIT_ERROR_TEXT];
};

enum {
	READ_BUFFER = 65536, /* many records per system call */
	NAMES_SHOWN = 4,
};

/* ---- the socket, without SIGPIPE ---- */

static int bio_write(BIO *bio, const char *data, int length)
{
	ssize_t n = send((int)(intptr_t)BIO_get_data(bio), data, length, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return n;
}

static int bio_read(BIO *bio, char *data, int size)
{
	ssize_t n = recv((int)(intptr_t)BIO_get_data(bio), data, size, 0);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

/* ---- authentication ---- */

/* What a peer's certificate says reaches logs and terminals: printable ASCII only. */
static void append_clean(char *text, const char *string, size_t length)
{
	size_t end = strlen(text);

	for (size_t i = 0; i < length && end + 1 < LIMIT_ERROR_TEXT; i++)
		text[end++] = string[i] > ' ' && string[i] < 0x7f ? string[i] : '?';
	text[end] = '\0';
}

static void append(char *text, const char *string)
{
	size_t end = strlen(text);

	snprintf(text + end, LIMIT_ERROR_TEXT - end, "%s", string);
}

static void append_names(char *text, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int shown = 0;

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS)
			continue;
		if (shown == NAMES_SHOWN) {
			append(text, " ...");
			break;
		}
		append(text, shown++ > 0 ? ", " : "");
		append_clean(text, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
			ASN1_STRING_length(name->d.dNSName));
	}
	if (shown == 0)
		append(text, "no host at all (a common name does not count)");
	GENERAL_NAMES_free(names);
}

static void append_time(char *text, const ASN1_TIME *time)
{
	struct tm tm;
	char date[32];

	if (ASN1_TIME_to_tm(time, &tm) == 1 &&
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm) > 0)
		append(text, date);
	else
		append(text, "an unreadable date");
}

/* CN or O of the issuer: enough for a person to recognise. */
static void append_issuer(char *text, const X509 *certificate)
{
	static const int nids[] = {NID_commonName, NID_organizationName};
	const X509_NAME *issuer = X509_get_issuer_name(certificate);

	for (size_t i = 0; i < sizeof(nids) / sizeof(*nids); i++) {
		int index = X509_NAME_get_index_by_NID(issuer, nids[i], -1);
		const ASN1_STRING *value;

		if (index < 0)
			continue;
		value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, index));
		append(text, "\"");
		for (int j = 0; j < ASN1_STRING_length(value); j++) {
			char c = ASN1_STRING_get0_data(value)[j];

			if (c == ' ')
				append(text, " ");
			else
				append_clean(text, &c, 1);
		}
		append(text, "\"");
		return;
	}
	append(text, "an issuer without a name");
}

static void explain(struct tls *tls, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	const X509 *leaf = X509_STORE_CTX_get0_cert(store);
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	char *text = tls->reason;

	if (!at)
		at = leaf;
	text[0] = '\0';
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		append(text,
			at == leaf ? "the certificate expired on " : "the issuer's certificate expired on ");
		append_time(text, X509_get0_notAfter(at));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		append(text, "the certificate is not valid before ");
		append_time(text, X509_get0_notBefore(at));
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		append(text, "the certificate is not for ");
		append_clean(text, tls->server->adn, strlen(tls->server->adn));
		append(text, ": it names ");
		append_names(text, leaf);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		append(text, "the certificate is signed by itself and not in the trust store");
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		append(text, "the certificate was issued by ");
		append_issuer(text, at);
		append(text, ", which is not in the trust store");
		break;
	default:
		append(text, "the certificate cannot be trusted: ");
		append(text, X509_verify_cert_error_string(error));
	}
}

struct hash {
	uint16_t algorithm; /* IANA's IKEv2 hash algorithm */
	const char *name;
	const EVP_MD *(*digest)(void);
};

static const struct hash hashes[] = {
	{2, "SHA2-256", EVP_sha256},
	{3, "SHA2-384", EVP_sha384},
	{4, "SHA2-512", EVP_sha512},
};

/* The digest of the certificate's SubjectPublicKeyInfo. */
static bool spki_digest(const X509 *certificate, const struct hash *hash,
	uint8_t ret[static EVP_MAX_MD_SIZE], unsigned *ret_length)
{
	unsigned char *spki = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	bool ok;

	if (length <= 0)
		return false;
	ok = EVP_Digest(spki, length, ret, ret_length, hash->digest(), NULL) == 1;
	OPENSSL_free(spki);
	return ok;
}

static bool digest_matches(const X509 *certificate, const struct server *server, char *reason)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length;

	snprintf(reason, LIMIT_ERROR_TEXT, "no digest that the gateway sent can be compared");
	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
		bool shown = false;

		for (size_t j = 0; j < server->n_pins; j++) {
			const struct pin *pin = &server->pins[j];

			if (pin->algorithm != hashes[i].algorithm ||
				!spki_digest(certificate, &hashes[i], digest, &length))
				continue;
			if (length == pin->length && memcmp(digest, pin->digest, length) == 0)
				return true;
			if (!shown) {
				int end = snprintf(reason, LIMIT_ERROR_TEXT,
					"the certificate's key does not match the gateway's digest: its %s digest is ",
					hashes[i].name);

				for (unsigned k = 0; k < length && end + 3 < LIMIT_ERROR_TEXT; k++)
					end += snprintf(reason + end, LIMIT_ERROR_TEXT - end, "%02x", digest[k]);
				shown = true;
			}
		}
	}
	return false;
}

/* OpenSSL's verdict on the whole certificate is asked for here, once per full handshake. */
static int verify(X509_STORE_CTX *store, void *userdata)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);

	if (tls->server->n_pins > 0) {
		const X509 *leaf = X509_STORE_CTX_get0_cert(store);

		if (leaf && digest_matches(leaf, tls->server, tls->reason)) {
			X509_STORE_CTX_set_error(store, X509_V_OK);
			return 1;
		}
		tls->mismatch = true;
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	if (X509_verify_cert(store) == 1)
		return 1;
	explain(tls, store);
	return 0;
}

/* ---- resumption ---- */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	SSL_SESSION_free(tls->ticket->session);
	tls->ticket->session = session;
	if (!SSL_session_reused(ssl))
		tls->ticket->authenticated = time(NULL);
	return 1;
}

/* A resumed session shows no certificate again: only a fresh one, of one still valid, may stand
 * for it. */
static bool may_resume(const struct tls_ticket *ticket, bool pinned)
{
	const X509 *certificate = ticket->session ? SSL_SESSION_get0_peer(ticket->session) : NULL;
	int days, seconds;

	if (!certificate || !SSL_SESSION_is_resumable(ticket->session))
		return false;
	if (time(NULL) - ticket->authenticated > LIMIT_RESUMPTION)
		return false;
	if (pinned)
		return true;
	return ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1 &&
		   (days > 0 || seconds > 0);
}

int tls_ticket_new(struct tls_ticket **ret)
{
	struct tls_ticket *ticket = calloc(1, sizeof(*ticket));

	if (!ticket)
		return -ENOMEM;
	*ret = ticket;
	return 0;
}

struct tls_ticket *tls_ticket_free(struct tls_ticket *ticket)
{
	if (ticket)
		SSL_SESSION_free(ticket->session);
	free(ticket);
	return NULL;
}

/* ---- context ---- */

struct tls_context *tls_context_free(struct tls_context *context)
{
	if (context) {
		SSL_CTX_free(context->ssl);
		BIO_meth_free(context->bio);
	}
	free(context);
	return NULL;
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");

	if (!method || !BIO_meth_set_write(method, bio_write) || !BIO_meth_set_read(method, bio_read) ||
		!BIO_meth_set_ctrl(method, bio_ctrl)) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

int tls_context_new(const char *ca_file, struct tls_context **ret)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	SSL_CTX *ssl;
	int loaded;

	if (!context)
		return -ENOMEM;
	/* Thousands of texts, for which the first answer would wait; libssl's own say what a server
	   did. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
	context->bio = bio_method();
	context->ssl = ssl = SSL_CTX_new(TLS_client_method());
	if (!context->bio || !ssl || SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
		tls_context_free(context);
		return -ENOMEM;
	}
	errno = 0;
	/* The folder is looked up by the issuer's hash when one is needed; the file would be read
	   whole, 140 certificates for the one that counts. */
	loaded = ca_file ? SSL_CTX_load_verify_file(ssl, ca_file) : SSL_CTX_set_default_verify_dir(ssl);
	if (loaded != 1) {
		int error = ca_file && errno == ENOENT ? -ENOENT : -EINVAL;

		ERR_clear_error();
		tls_context_free(context);
		return error;
	}
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, verify, NULL);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl, keep_session);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Both framings above us know where a message ends, so a missing close_notify hides nothing. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_default_read_buffer_len(ssl, READ_BUFFER);
	*ret = context;
	return 0;
}

/* ---- connection ---- */

struct tls *tls_free(struct tls *tls)
{
	if (tls && tls->ssl) {
		/* One try to say goodbye; the socket is closed either way. Without it OpenSSL takes the
		   session for a bad one, but a server that restarts is to be resumed with. */
		if (SSL_is_init_finished(tls->ssl))
			SSL_shutdown(tls->ssl);
		ERR_clear_error();
		SSL_free(tls->ssl);
	}
	free(tls);
	return NULL;
}

static int offer(struct tls *tls, const char *alpn)
{
	const char *adn = tls->server->adn;
	size_t length = strlen(alpn);
	uint8_t wire[256];

	if (length > 255)
		return -EINVAL;
	wire[0] = length;
	memcpy(wire + 1, alpn, length);
	SSL_set_hostflags(
		tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (SSL_set1_host(tls->ssl, adn) != 1 || SSL_set_tlsext_host_name(tls->ssl, adn) != 1 ||
		SSL_set_alpn_protos(tls->ssl, wire, 1 + length) != 0)
		return -ENOMEM;
	return 0;
}

int tls_new(struct tls_context *context, const struct server *server, struct tls_ticket *ticket,
	const char *alpn, int fd, struct tls **ret)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	BIO *bio;

	if (!tls)
		return -ENOMEM;
	tls->server = server;
	tls->ticket = ticket;
	tls->ssl = SSL_new(context->ssl);
	bio = BIO_new(context->bio);
	if (!tls->ssl || !bio || offer(tls, alpn) < 0) {
		BIO_free(bio);
		ERR_clear_error();
		tls_free(tls);
		return -ENOMEM;
	}
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_app_data(tls->ssl, tls);
	if (may_resume(ticket, server->n_pins > 0))
		SSL_set_session(tls->ssl, ticket->session);
	SSL_set_connect_state(tls->ssl);
	*ret = tls;
	return 0;
}

/* Of the first error that has one: libcrypto's texts have not been loaded. Takes the errors from
   the queue. */
static const char *text_of_error(void)
{
	const char *text = NULL;
	unsigned long code;

	while (!text && (code = ERR_get_error()) != 0)
		text = ERR_reason_error_string(code);
	return text;
}

static void explain_failure(
	const struct tls *tls, int error, int system_error, char reason[static LIMIT_ERROR_TEXT])
{
	const char *text = text_of_error();

	if (tls->reason[0])
		snprintf(reason, LIMIT_ERROR_TEXT, "%s", tls->reason);
	else if (text)
		snprintf(reason, LIMIT_ERROR_TEXT, "the TLS handshake failed: %s", text);
	else if (error == SSL_ERROR_SYSCALL && system_error)
		snprintf(reason, LIMIT_ERROR_TEXT, "the TLS handshake failed: %s", strerror(system_error));
	else if (error == SSL_ERROR_SSL)
		snprintf(reason, LIMIT_ERROR_TEXT, "the TLS handshake failed");
	else
		snprintf(reason, LIMIT_ERROR_TEXT, "the server closed the connection in the TLS handshake");
}

int tls_handshake(struct tls *tls, bool *ret_write, char reason[static LIMIT_ERROR_TEXT])
{
	int result, error, system_error;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(tls->ssl);
	system_error = errno;
	if (result == 1)
		return 0;
	error = SSL_get_error(tls->ssl, result);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		*ret_write = error == SSL_ERROR_WANT_WRITE;
		return -EAGAIN;
	}
	explain_failure(tls, error, system_error, reason);
	ERR_clear_error();
	SSL_SESSION_free(tls->ticket->session);
	tls->ticket->session = NULL;
	return tls->mismatch ? -EACCES : -EPROTO;
}

static ssize_t result_of(struct tls *tls, int result)
{
	int error;

	if (result > 0)
		return result;
	error = SSL_get_error(tls->ssl, result);
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
	case SSL_ERROR_SYSCALL:
		return -ECONNRESET;
	default:
		return -EPROTO;
	}
}

ssize_t tls_read(struct tls *tls, void *buffer, size_t size)
{
	return result_of(tls, SSL_read(tls->ssl, buffer, size > INT32_MAX ? INT32_MAX : size));
}

ssize_t tls_write(struct tls *tls, const void *buffer, size_t size)
{
	return result_of(tls, SSL_write(tls->ssl, buffer, size > INT32_MAX ? INT32_MAX : size));
}

bool tls_pending(const struct tls *tls)
{
	return SSL_has_pending(tls->ssl);
}

const char *tls_version(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *tls_alpn(const struct tls *tls, size_t *ret_length)
{
	const unsigned char *name;
	unsigned length;

	SSL_get0_alpn_selected(tls->ssl, &name, &length);
	*ret_length = length;
	return (const char *)name;
}

bool tls_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl);
}
