/*
 * How large anything on the wire may be. What is larger is refused, never cut.
 *
 * Not called limits.h: automake puts this folder on the include path, where it would hide libc's.
 */
#pragma once

#define WIRE_VALUE_MAX 65535 /* an attribute's value: its length has 16 bits */

#define NAME_LENGTH_MAX 253 /* a name in presentation format without the trailing dot */
#define NAME_LABEL_MAX 63
#define NAME_SIZE (NAME_LENGTH_MAX + 1) /* a buffer for a name and its NUL */

#define ENCDNS_ADDRESSES_MAX 255 /* the count has 8 bits */

#define SVCPARAMS_ALPN_MAX 16     /* protocol identifiers in one alpn */
#define SVCPARAMS_ALPN_ID_MAX 255 /* octets in one: the length has 8 bits */
#define SVCPARAMS_MANDATORY_MAX 16
#define SVCPARAMS_OTHER_MAX 16  /* SvcParams with keys that we don't interpret */
#define DOHPATH_LENGTH_MAX 1024 /* octets in a URI template */
/* A buffer for what a template expands to: each octet may become %XX; and a NUL. */
#define DOHPATH_SIZE (3 * DOHPATH_LENGTH_MAX + 1)

#define DIGEST_ALGORITHMS_MAX 255 /* the count has 8 bits */
#define DIGEST_LENGTH_MAX 64      /* SHA2-512 */

#define TRUST_ANCHOR_DIGEST_MAX 48 /* SHA-384 */
#define TRUST_ANCHOR_VALUE_MAX (4 + 2 * TRUST_ANCHOR_DIGEST_MAX)
