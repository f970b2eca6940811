/*
 * What a gateway answers a request with: attributes from the sections that match the client, and
 * nothing that was not asked for (RFC 9464, section 4; RFC 8598, section 3.2).
 */
#ifndef ENCDNS_ANSWER_H_
#define ENCDNS_ANSWER_H_

#include "encdns_attribute.h"
#include "encdns_option.h"
#include "encdns_request.h"

/**
 * Is a section for a client? Each criterion that the section has must match.
 *
 * @param pools			names of the connection's pools, char*
 * @param connection	name of the connection
 * @param identity		the client's identity
 */
bool encdns_answer_matches(encdns_gateway_t *gateway, linked_list_t *pools,
						   const char *connection, identification_t *identity);

/**
 * Make the answer.
 *
 * @param request		what was asked
 * @param gateways		sections that match, encdns_gateway_t*, in the file's order
 * @return				encdns_attribute_t*, in the order to send; encdns_attributes_destroy() frees it
 */
linked_list_t *encdns_answer_create(encdns_request_t *request,
									linked_list_t *gateways);

#endif /** ENCDNS_ANSWER_H_ */
