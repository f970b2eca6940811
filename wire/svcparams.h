/*
 * SvcParams (RFC 9460, section 2.2) as RFC 9464, section 3.1, allows them: key (2), length (2),
 * value; keys strictly ascending; no ipv4hint and ipv6hint.
 *
 * Unknown keys are kept and may be ignored (I8), unless they are mandatory: then the whole is
 * refused (RFC 9460, section 8). ech is among the unknown: we don't speak it. A missing alpn, or
 * h2 without a dohpath, is no fault of the format: who wants to use the entry finds it unusable
 * (I9, I10).
 */
#pragma once

#include "bounds.h"
#include "buffer.h"

enum svcparam_key {
	SVCPARAM_MANDATORY = 0,
	SVCPARAM_ALPN = 1,
	SVCPARAM_NO_DEFAULT_ALPN = 2,
	SVCPARAM_PORT = 3,
	SVCPARAM_IPV4HINT = 4,
	SVCPARAM_ECH = 5,
	SVCPARAM_IPV6HINT = 6,
	SVCPARAM_DOHPATH = 7,
	SVCPARAM_INVALID = 65535,
};

struct svcparam {
	uint16_t key;
	struct span value;
};

/* All zero: no SvcParams at all. */
struct svcparams {
	uint16_t mandatory[SVCPARAMS_MANDATORY_MAX]; /* keys, ascending */
	size_t n_mandatory;                          /* 0: absent */
	struct span alpn[SVCPARAMS_ALPN_MAX];        /* protocol ids, none empty, as sent */
	size_t n_alpn;                               /* 0: absent */
	bool no_default_alpn;
	bool has_port;
	uint16_t port; /* not 0 */
	bool has_dohpath;
	struct span dohpath;                        /* passed dohpath_check() */
	struct svcparam other[SVCPARAMS_OTHER_MAX]; /* ech and unknown ones, keys ascending */
	size_t n_other;
};

/* 0, or -EBADMSG and *ret_why. The spans point into value. */
int svcparams_decode(struct span value, struct svcparams *ret, const char **ret_why);

/*
 * Appends to the writer, in ascending order of keys. 0, or -EINVAL and *ret_why where
 * svcparams_decode() would refuse it, -ENOBUFS where it doesn't fit; then the writer is as it
 * was.
 */
int svcparams_encode(const struct svcparams *params, struct writer *writer, const char **ret_why);

/* Is the protocol id ("dot", "h2") in alpn? Octet by octet: ids have a case. */
bool svcparams_has_alpn(const struct svcparams *params, const char *id);
