/*
 * Certificates outside of a connection of the forwarder: what a person or a gateway wants to know
 * of a file, or of what a server shows. The digests are those of ENCDNS_DIGEST_INFO (RFC 9464
 * section 3.2): of the SubjectPublicKeyInfo.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "bounds.h"
#include "server.h"

#define CERTIFICATE_PINS 3

struct certificate {
	char *names; /* the hosts of subjectAltName, ", " between; "" where there is none */
	time_t not_before, not_after;
	struct pin pins[CERTIFICATE_PINS]; /* SHA2-256, 384, 512 */
};

/* A file, PEM (the first certificate counts) or DER. 0 or -errno, reason says why. */
int certificate_read(
	const char *path, struct certificate *ret, char reason[static LIMIT_ERROR_TEXT]);

/*
 * What a TLS server shows, whatever that is: nothing is sent to it and nothing believed of it.
 * *ret_distrust: why the system's trust store does not vouch for host, NULL: it does. 0 or -errno,
 * reason says why.
 */
int certificate_fetch(const char *host, uint16_t port, struct certificate *ret,
	const char **ret_distrust, char reason[static LIMIT_ERROR_TEXT]);

void certificate_clear(struct certificate *certificate);
