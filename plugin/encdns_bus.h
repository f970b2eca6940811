/*
 * Carries out what is desired: makes the links, and tells encdnsd over the system bus. One thread of
 * its own does all of it; IKE threads only wake it.
 *
 * encdnsd is started by the bus, announced to whenever it appears, and told everything again then. What
 * fails is tried again with growing pauses.
 */
#ifndef ENCDNS_BUS_H_
#define ENCDNS_BUS_H_

#include "encdns_connections.h"
#include "encdns_current.h"

typedef struct encdns_bus_t encdns_bus_t;

struct encdns_bus_t {

	/**
	 * A wish has changed. Does not block.
	 */
	void (*wake)(encdns_bus_t *this);

	/**
	 * The configuration was loaded: encdnsd wants to know what is wrong with it.
	 */
	void (*announce)(encdns_bus_t *this);

	/**
	 * Start to carry out.
	 *
	 * @param connections	has the wishes
	 * @return				FALSE if there is no thread to be had
	 */
	bool (*start)(encdns_bus_t *this, encdns_connections_t *connections);

	/**
	 * Bring what is under way to its end, within a few seconds, and stop.
	 */
	void (*destroy)(encdns_bus_t *this);
};

/**
 * Create it.
 *
 * @param current		the configuration in force
 */
encdns_bus_t *encdns_bus_create(encdns_current_t *current);

#endif /** ENCDNS_BUS_H_ */
