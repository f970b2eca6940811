/*
 * The kinds of value that the options of the section `encrypted-dns` have: from the text in the file
 * to what the plugin works with.
 */
#ifndef ENCDNS_VALUE_H_
#define ENCDNS_VALUE_H_

#include "compat.h"
#include "encdns_report.h"

#include "wire/digest.h"
#include "wire/trust_anchor.h"

typedef struct encdns_value_t encdns_value_t;
typedef struct encdns_place_t encdns_place_t;
typedef struct encdns_pin_t encdns_pin_t;
typedef struct encdns_certificate_t encdns_certificate_t;
typedef struct encdns_anchor_t encdns_anchor_t;

/** Number of hash algorithms that digests of certificates are computed with */
#define ENCDNS_ALGORITHMS 3

/**
 * An SPKI digest that is configured itself.
 */
struct encdns_pin_t {
	const struct digest_algorithm *algorithm;
	uint8_t digest[DIGEST_LENGTH_MAX];
};

/**
 * A certificate of a resolver: its SPKI digests, in the order of digest_algorithm_at().
 */
struct encdns_certificate_t {
	encdns_pin_t digests[ENCDNS_ALGORITHMS];
};

/**
 * A trust anchor, and the domain that it is for (normalised).
 */
struct encdns_anchor_t {
	char *domain;
	struct trust_anchor anchor;
};

/**
 * Where a value stands: for messages, and to find the files that it names.
 */
struct encdns_place_t {
	/** path of the option, "encrypted-dns.corp.domains" */
	const char *path;
	/** swanctl's folder: the one that the file is in */
	const char *folder;
	/** choices of an option that has some, "release block" */
	const char *choices;
	/** collects what is wrong */
	encdns_report_t *report;
};

/**
 * A kind of value. Members named below are what parse() fills, zero before, and what clear() frees.
 */
struct encdns_value_t {

	/**
	 * Parse a value.
	 *
	 * @param place		where it stands, gets all that is wrong with it
	 * @param text		the value, not empty
	 * @param member	what is filled; partly filled where something is wrong
	 */
	void (*parse)(const encdns_place_t *place, const char *text, void *member);

	/**
	 * Free what a member holds.
	 */
	void (*clear)(void *member);
};

/** char*: as it stands */
extern const encdns_value_t encdns_value_text;
/** char*: one of the choices */
extern const encdns_value_t encdns_value_choice;
/** bool */
extern const encdns_value_t encdns_value_bool;
/** uint16_t: 1 to 65535 */
extern const encdns_value_t encdns_value_port;
/** uint16_t: 1 to 65535 */
extern const encdns_value_t encdns_value_priority;
/** uint16_t: a private-use attribute type, 16384 to 32767 */
extern const encdns_value_t encdns_value_private_type;
/** char*: a host name, normalised */
extern const encdns_value_t encdns_value_host;
/** char*: a URI template */
extern const encdns_value_t encdns_value_dohpath;
/** char*: absolute path of a readable file; relative ones are in x509ca */
extern const encdns_value_t encdns_value_ca_file;
/** linked_list_t* of char*: names of whatever kind */
extern const encdns_value_t encdns_value_words;
/** linked_list_t* of char*: domains, normalised */
extern const encdns_value_t encdns_value_domains;
/** linked_list_t* of char*: domains, normalised, " override" behind those that have it */
extern const encdns_value_t encdns_value_overridables;
/** linked_list_t* of char*: protocol identifiers that DNS resolvers have */
extern const encdns_value_t encdns_value_alpn;
/** linked_list_t* of identification_t*, wildcards allowed */
extern const encdns_value_t encdns_value_identities;
/** linked_list_t* of encdns_pin_t* */
extern const encdns_value_t encdns_value_pins;
/** linked_list_t* of encdns_certificate_t*; relative paths are in x509 */
extern const encdns_value_t encdns_value_certificates;
/** linked_list_t* of encdns_anchor_t* */
extern const encdns_value_t encdns_value_anchors;
/** chunk_t[2]: IPv4 addresses one after the other, and IPv6 ones */
extern const encdns_value_t encdns_value_addresses;
/** struct digest_request: hash algorithms */
extern const encdns_value_t encdns_value_algorithms;

#endif /** ENCDNS_VALUE_H_ */
