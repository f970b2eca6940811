/*
 * The gateway's side: hands out what the configuration has for a client, as far as it asked.
 */
#ifndef ENCDNS_PROVIDER_H_
#define ENCDNS_PROVIDER_H_

#include "encdns_current.h"
#include "encdns_requests.h"

#include <attributes/attribute_provider.h>

typedef struct encdns_provider_t encdns_provider_t;

struct encdns_provider_t {

	/**
	 * Implements attribute_provider_t
	 */
	attribute_provider_t provider;

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_provider_t *this);
};

/**
 * Create it.
 *
 * @param current	the configuration in force
 * @param requests	what clients have asked for
 */
encdns_provider_t *encdns_provider_create(encdns_current_t *current,
										  encdns_requests_t *requests);

#endif /** ENCDNS_PROVIDER_H_ */
