/*
 * DNS messages as the forwarder needs them: a bounded reader of header, question and OPT record
 * (RFC 1035 section 4, RFC 6891), and the writers of what it sends. Nothing here keeps state or
 * allocates.
 *
 * EDNS is between neighbours: of an asker's OPT record only the DO bit and the version go upstream,
 * so no client subnet ever does (RFC 7871), and padding is our own (RFC 8467).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "bounds.h"

enum {
	DNS_HEADER_SIZE = 12,
	DNS_OPT_SIZE = 11, /* an OPT record without options */
};

enum dns_type {
	DNS_A = 1,
	DNS_AAAA = 28,
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NOTIMP = 4,
};

/* Extended DNS errors, RFC 8914 section 4. */
enum dns_ede {
	DNS_EDE_OTHER = 0,
	DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
	DNS_EDE_NETWORK_ERROR = 23,
};

/* What the reader found. Offsets count from the message's start. */
struct dns_message {
	uint16_t id;
	bool response;
	bool truncated;
	uint8_t opcode;
	uint8_t rcode;
	uint16_t counts[4];       /* question, answer, authority, additional */
	uint16_t question_length; /* name, type and class, from DNS_HEADER_SIZE on; 0: no question */
	uint16_t question_type;
	bool has_opt;
	bool opt_last;     /* no record follows the OPT record */
	size_t opt_offset; /* of its owner name */
	size_t opt_length; /* of the whole record */
	uint16_t udp_size;
	uint8_t edns_version;
	bool dnssec_ok;
};

/*
 * Reads a message: at most one question, whose name is not compressed, every record within the
 * message, at most one OPT record (in the additional section, owned by the root), nothing behind
 * the last record. 0, or -EBADMSG and *ret is untouched.
 */
int dns_read(const uint8_t *message, size_t length, struct dns_message *ret);

/* Whether two questions ask the same, names compared without case. */
bool dns_same_question(const uint8_t *a, const uint8_t *b, size_t length);

/* Whether a question (class IN) is about a name: "vpn.corp.example", in lower case. */
bool dns_question_names(const uint8_t *question, size_t length, const char *name);

/*
 * Writes the query that goes upstream for one that dns_read has read: id 0, header and question as
 * they are, an OPT record where the asker sent one or pad is set, and with pad padding to a
 * multiple of LIMIT_PADDING_BLOCK. Returns its length, at most LIMIT_QUERY_SIZE.
 */
size_t dns_write_query(const uint8_t *message, const struct dns_message *parsed, bool pad,
	uint8_t ret[static LIMIT_QUERY_SIZE]);

/*
 * Makes an upstream's answer fit its asker, in place: the padding goes, the whole OPT record goes
 * where the asker sent none, and an answer longer than limit becomes a truncated one (TC). parsed
 * is what dns_read said of it. Returns the new length.
 */
size_t dns_fit_answer(
	uint8_t *message, size_t length, const struct dns_message *parsed, bool edns, size_t limit);

/*
 * Writes an answer without records to a query: header and question are taken from it. With edns an
 * OPT record follows, with an extended error where text is not NULL. Returns the length, at most
 * DNS_OWN_SIZE.
 */
enum { DNS_OWN_SIZE = 512, DNS_ERROR_TEXT = 100 };
size_t dns_write_error(const uint8_t *query, size_t question_length, enum dns_rcode rcode,
	bool edns, enum dns_ede code, const char *text, uint8_t ret[static DNS_OWN_SIZE]);

/*
 * The same with the address for an answer, of TTL 0; none at all: the name has no such record.
 */
size_t dns_write_address(const uint8_t *query, size_t question_length, bool edns,
	const struct address *address, uint8_t ret[static DNS_OWN_SIZE]);

static inline uint16_t dns_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline void dns_put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = value >> 8;
	bytes[1] = value & 0xff;
}
