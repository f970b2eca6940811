#include "certificates.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void set_subject(X509 *certificate, const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	assert_non_null(name);
	assert_int_equal(
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0),
		1);
	assert_int_equal(X509_set_subject_name(certificate, name), 1);
	X509_NAME_free(name);
}

static X509 *blank_certificate(EVP_PKEY *key, int from_day, int to_day)
{
	X509 *certificate = X509_new();
	uint64_t serial;

	assert_non_null(certificate);
	assert_int_equal(RAND_bytes((unsigned char *)&serial, sizeof(serial)), 1);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1), 1);
	assert_non_null(X509_time_adj_ex(X509_getm_notBefore(certificate), from_day, 0, NULL));
	assert_non_null(X509_time_adj_ex(X509_getm_notAfter(certificate), to_day, 0, NULL));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	return certificate;
}

struct identity authority_new(const char *name)
{
	struct identity authority = {.key = EVP_EC_gen("P-256")};

	assert_non_null(authority.key);
	authority.certificate = blank_certificate(authority.key, -1, 1);
	set_subject(authority.certificate, name);
	assert_int_equal(
		X509_set_issuer_name(authority.certificate, X509_get_subject_name(authority.certificate)),
		1);
	add_extension(authority.certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(authority.certificate, NID_key_usage, "critical,keyCertSign");
	assert_true(X509_sign(authority.certificate, authority.key, EVP_sha256()) > 0);
	return authority;
}

struct identity identity_new(
	const struct identity *authority, const char *san, const char *cn, int from_day, int to_day)
{
	struct identity identity = {.key = EVP_EC_gen("P-256")};

	assert_non_null(identity.key);
	identity.certificate = blank_certificate(identity.key, from_day, to_day);
	if (cn)
		set_subject(identity.certificate, cn);
	assert_int_equal(
		X509_set_issuer_name(identity.certificate, X509_get_subject_name(authority->certificate)),
		1);
	if (san)
		add_extension(identity.certificate, NID_subject_alt_name, san);
	assert_true(X509_sign(identity.certificate, authority->key, EVP_sha256()) > 0);
	return identity;
}

void identity_clear(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	*identity = (struct identity){0};
}

void identity_write(const struct identity *identity, char path[64])
{
	FILE *file;
	int fd;

	snprintf(path, 64, "/tmp/encdns-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, identity->certificate), 1);
	fclose(file);
}

struct pin identity_pin(const struct identity *identity, uint16_t algorithm)
{
	static const char *const names[] = {[2] = "SHA256", [3] = "SHA384", [4] = "SHA512"};
	struct pin pin = {.algorithm = algorithm};
	unsigned char *spki = NULL;
	int length = i2d_PUBKEY(identity->key, &spki);
	size_t size = sizeof(pin.digest);

	assert_true(length > 0);
	assert_int_equal(
		EVP_Q_digest(NULL, names[algorithm], NULL, spki, length, pin.digest, &size), 1);
	pin.length = size;
	OPENSSL_free(spki);
	return pin;
}
