/*
 * What clients have asked for, by IKE_SA: heard from the bus, as strongSwan does not tell those who
 * provide attributes.
 */
#ifndef ENCDNS_REQUESTS_H_
#define ENCDNS_REQUESTS_H_

#include "encdns_request.h"

typedef struct encdns_requests_t encdns_requests_t;

struct encdns_requests_t {

	/**
	 * Implements listener_t
	 */
	listener_t listener;

	/**
	 * Take the request of an IKE_SA.
	 *
	 * @return			NULL if there was none, else to be destroyed by the caller
	 */
	encdns_request_t *(*take)(encdns_requests_t *this, ike_sa_t *ike_sa);

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_requests_t *this);
};

/**
 * Create it, with no requests.
 */
encdns_requests_t *encdns_requests_create(void);

#endif /** ENCDNS_REQUESTS_H_ */
