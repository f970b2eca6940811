/*
 * Which addresses are reached through the tunnel: the remote traffic selectors of an IKE_SA's installed
 * CHILD_SAs as ranges.
 */
#ifndef ENCDNS_RANGES_H_
#define ENCDNS_RANGES_H_

#include "compat.h"

typedef struct encdns_range_t encdns_range_t;

/**
 * A range of addresses, both ends included, in network byte order.
 */
struct encdns_range_t {
	int family;
	uint8_t first[16];
	uint8_t last[16];
};

/**
 * Collect the ranges of an IKE_SA: those that packets from its virtual IPs of the same family reach
 * through a CHILD_SA, whatever their protocol and ports.
 *
 * @param up		CHILD_SA that has just come, and may not be in the IKE_SA's list yet; NULL: none
 * @param down		CHILD_SA that is about to go, and still is in the list; NULL: none
 * @return			encdns_range_t*, to be destroyed with free(); none twice
 */
linked_list_t *encdns_ranges_collect(ike_sa_t *ike_sa, child_sa_t *up,
									 child_sa_t *down);

/**
 * Have two lists the same ranges in the same order?
 */
bool encdns_ranges_equal(linked_list_t *a, linked_list_t *b);

#endif /** ENCDNS_RANGES_H_ */
