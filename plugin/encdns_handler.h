/*
 * The laptop's side of CFG_REQUEST: asks (RFC 9464, section 4; RFC 8598, section 3.1), and claims what
 * comes back so that no other plugin takes it. What is done with it: encdns_connections.h.
 */
#ifndef ENCDNS_HANDLER_H_
#define ENCDNS_HANDLER_H_

#include "encdns_connections.h"
#include "encdns_current.h"

#include <attributes/attribute_handler.h>

typedef struct encdns_handler_t encdns_handler_t;

struct encdns_handler_t {

	/**
	 * Implements attribute_handler_t
	 */
	attribute_handler_t handler;

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_handler_t *this);
};

/**
 * Create it.
 *
 * @param current		the configuration in force
 * @param connections	is told who asks
 */
encdns_handler_t *encdns_handler_create(encdns_current_t *current,
										encdns_connections_t *connections);

/**
 * What a section asks for.
 *
 * @param vips			virtual IPs that are requested, host_t*
 * @return				encdns_attribute_t*, encdns_attributes_destroy() frees it
 */
linked_list_t *encdns_handler_ask(encdns_laptop_t *laptop, linked_list_t *vips);

#endif /** ENCDNS_HANDLER_H_ */
