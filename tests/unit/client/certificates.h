/*
 * Certificates for the tests, made on the spot: nothing that expires lies in the repository.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "client-helper/server.h"

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

/* Fails the test where OpenSSL does. */
struct identity authority_new(const char *name);

/* san: as in openssl.cnf, "DNS:a.example,DNS:b.example"; NULL: none. cn: NULL: none.
   Days from now. */
struct identity identity_new(
	const struct identity *authority, const char *san, const char *cn, int from_day, int to_day);
void identity_clear(struct identity *identity);

/* PEM into a temporary file; path gets its name. */
void identity_write(const struct identity *identity, char path[64]);

/* The SPKI digest by one of IANA's IKEv2 hash algorithms. */
struct pin identity_pin(const struct identity *identity, uint16_t algorithm);
