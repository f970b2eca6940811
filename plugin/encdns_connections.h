/*
 * The laptop's connections: what their IKE_SAs brought, and what is desired from it.
 *
 * A connection may have several IKE_SAs at a time (reauthentication, reestablishment); the newest that
 * is established and has a CHILD_SA counts. Attributes are taken from the message, in the order
 * received, and count once the gateway is authenticated.
 */
#ifndef ENCDNS_CONNECTIONS_H_
#define ENCDNS_CONNECTIONS_H_

#include "encdns_state.h"

typedef struct encdns_connections_t encdns_connections_t;
typedef struct encdns_wish_t encdns_wish_t;

/**
 * What is desired for a connection at a moment.
 */
struct encdns_wish_t {
	/** name of the connection */
	char *connection;
	/** changes with every change */
	u_int generation;
	/** NULL: it is down */
	encdns_state_t *state;
	/** where it is down: TRUE if it was lost, FALSE if it ended orderly */
	bool lost;
};

struct encdns_connections_t {

	/**
	 * Implements listener_t
	 */
	listener_t listener;

	/**
	 * An IKE_SA asks for attributes.
	 *
	 * @param config	configuration, gets another reference
	 * @param laptop	its section for the connection
	 */
	void (*ask)(encdns_connections_t *this, ike_sa_t *ike_sa,
				encdns_config_t *config, encdns_laptop_t *laptop);

	/**
	 * Has an IKE_SA asked for an attribute of a type?
	 */
	bool (*has_asked)(encdns_connections_t *this, ike_sa_t *ike_sa,
					  uint16_t type);

	/**
	 * What is desired now.
	 *
	 * @return			list of encdns_wish_t*, encdns_wishes_destroy() frees it
	 */
	linked_list_t *(*get_wishes)(encdns_connections_t *this);

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_connections_t *this);
};

/**
 * Free a list of wishes.
 */
void encdns_wishes_destroy(linked_list_t *wishes);

/**
 * Create it.
 *
 * @param changed	called with data when a wish has changed, on an IKE thread; must not block
 */
encdns_connections_t *encdns_connections_create(void (*changed)(void *data),
												void *data);

#endif /** ENCDNS_CONNECTIONS_H_ */
