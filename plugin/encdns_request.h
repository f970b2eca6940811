/*
 * What a client asked for in its CFG_REQUEST. strongSwan does not tell that to those who provide
 * attributes, so it is read from the message (RFC 9464, section 4; RFC 8598, section 3.1).
 */
#ifndef ENCDNS_REQUEST_H_
#define ENCDNS_REQUEST_H_

#include "compat.h"

#include "wire/digest.h"
#include "wire/enc_dns.h"
#include "wire/encdns.h"

typedef struct encdns_request_t encdns_request_t;

struct encdns_request_t {

	/**
	 * Add an attribute of the request. One that is malformed is logged and ignored, identical ones
	 * count once.
	 */
	void (*add)(encdns_request_t *this, uint16_t type, chunk_t value);

	/**
	 * Did the request have such an attribute?
	 */
	bool (*has)(encdns_request_t *this, uint16_t type);

	/**
	 * Did the request ask for resolvers of a kind by INTERNAL_ENC_DNS?
	 *
	 * @param type		number that the attribute has
	 */
	bool (*has_enc_dns)(encdns_request_t *this, uint16_t type,
						enum enc_dns_kind kind);

	/**
	 * Does the request list a hash algorithm?
	 */
	bool (*has_algorithm)(encdns_request_t *this, uint16_t algorithm);

	/**
	 * Did it repeat an attribute more often than anybody needs to?
	 */
	bool (*is_flooding)(encdns_request_t *this);

	/**
	 * Enumerate the suggestions of resolvers.
	 *
	 * @return			enumerator over uint16_t type, struct encdns*
	 */
	enumerator_t *(*create_suggestion_enumerator)(encdns_request_t *this);

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_request_t *this);
};

/**
 * Create an empty request.
 */
encdns_request_t *encdns_request_create(void);

#endif /** ENCDNS_REQUEST_H_ */
