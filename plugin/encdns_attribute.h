/*
 * Configuration attributes as they go over the wire, and lists of them.
 */
#ifndef ENCDNS_ATTRIBUTE_H_
#define ENCDNS_ATTRIBUTE_H_

#include "compat.h"

typedef struct encdns_attribute_t encdns_attribute_t;

struct encdns_attribute_t {
	uint16_t type;
	chunk_t value;
};

/**
 * Create an attribute.
 *
 * @param value			gets cloned
 */
encdns_attribute_t *encdns_attribute_create(uint16_t type, chunk_t value);

/**
 * Free an attribute.
 */
void encdns_attribute_destroy(encdns_attribute_t *this);

/**
 * Free a list of attributes with what it holds.
 */
void encdns_attributes_destroy(linked_list_t *attributes);

/**
 * Enumerate a list of attributes as strongSwan's attribute manager wants it.
 *
 * @param attributes	gets destroyed with the enumerator
 * @return				enumerator over configuration_attribute_type_t, chunk_t
 */
enumerator_t *encdns_attributes_enumerate(linked_list_t *attributes);

#endif /** ENCDNS_ATTRIBUTE_H_ */
