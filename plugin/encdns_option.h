/*
 * The options of the section `encrypted-dns` in swanctl.conf: the one table that the parser and the check
 * for unknown keys are made from. What they mean is written in conf/encrypted-dns.opt, for the sample
 * configuration and the manual; a unit test compares the two.
 */
#ifndef ENCDNS_OPTION_H_
#define ENCDNS_OPTION_H_

#include "encdns_value.h"

typedef enum encdns_role_t encdns_role_t;
typedef struct encdns_option_t encdns_option_t;
typedef struct encdns_resolver_t encdns_resolver_t;
typedef struct encdns_gateway_t encdns_gateway_t;
typedef struct encdns_laptop_t encdns_laptop_t;

/**
 * What kind of section an option belongs to.
 */
enum encdns_role_t {
	/** encrypted-dns.NAME, with resolvers: what to hand out */
	ENCDNS_GATEWAY,
	/** encrypted-dns.NAME, without resolvers: what to ask for and accept */
	ENCDNS_LAPTOP,
	/** encrypted-dns.NAME.resolvers.NAME */
	ENCDNS_RESOLVER,
	/** encrypted-dns.NAME.suggestions.NAME, of a laptop */
	ENCDNS_SUGGESTION,
};

/**
 * A resolver that a gateway hands out, or that a laptop suggests; of a suggestion all but the name and
 * the priority may be missing.
 */
struct encdns_resolver_t {
	char *name;
	char *adn;
	chunk_t addresses[2];
	linked_list_t *alpn;
	/** 0: the protocol's own */
	uint16_t port;
	/** NULL: none */
	char *dohpath;
	uint16_t priority;
	/** NULL: none, as all lists below */
	linked_list_t *certificates;
	linked_list_t *pins;
	/** DNS goes there outside the tunnel; only INTERNAL_ENC_DNS can say so */
	bool outside;
};

/**
 * What a gateway hands out, and to whom: every criterion that is there must match.
 */
struct encdns_gateway_t {
	char *name;
	linked_list_t *pools;
	linked_list_t *connections;
	linked_list_t *identities;
	/** encdns_resolver_t*, in the file's order */
	linked_list_t *resolvers;
	linked_list_t *domains;
	linked_list_t *anchors;
	/** number of INTERNAL_ENC_DNS, 0: off */
	uint16_t enc_dns;
};

/**
 * What a laptop asks for and accepts.
 */
struct encdns_laptop_t {
	char *name;
	/** NULL: every connection that requests a virtual IP */
	linked_list_t *connections;
	/** "auto", "ipv4", "ipv6", "both" */
	char *request;
	linked_list_t *request_domains;
	/** encdns_resolver_t*, in the file's order */
	linked_list_t *suggestions;
	struct digest_request algorithms;
	/** NULL: whatever the rules allow */
	linked_list_t *accept_domains;
	/** "corp.example", "internal override" */
	linked_list_t *accept_anchors;
	linked_list_t *insecure_domains;
	char *without_domains;
	bool require_encrypted;
	bool outside_tunnel;
	/** NULL: none */
	char *organization;
	char *on_disconnect;
	/** NULL: the system's trust store */
	char *ca_file;
	/** number of INTERNAL_ENC_DNS, 0: off */
	uint16_t enc_dns;
	/** URI template of the DoH resolvers that it names, NULL: the usual one */
	char *dohpath;
};

/**
 * An option.
 */
struct encdns_option_t {
	/** kind of section that it belongs to */
	encdns_role_t role;
	/** key in the file */
	char *name;
	/** what its value is */
	const encdns_value_t *value;
	/** offset of its member in the section's struct */
	size_t offset;
	/** value that it has when it is not there, as it would be written; NULL: none */
	char *standard;
	/** choices, where it has some */
	char *choices;
	/** TRUE: a section without it is a mistake */
	bool required;
};

/**
 * The options, one after the other, of all kinds of section.
 *
 * @param index		0 for the first
 * @return			NULL behind the last
 */
const encdns_option_t *encdns_option_at(u_int index);

/**
 * Find an option by its key.
 *
 * @return			NULL if there is none
 */
const encdns_option_t *encdns_option_find(encdns_role_t role, const char *name);

/**
 * The key that somebody may have meant.
 *
 * @return			NULL if none resembles it
 */
const char *encdns_option_guess(encdns_role_t role, const char *name);

/**
 * Free what the options have filled into a section's struct.
 */
void encdns_option_clear(encdns_role_t role, void *section);

#endif /** ENCDNS_OPTION_H_ */
