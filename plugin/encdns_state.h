/*
 * What is desired for a connection that is up: a plain value, made on IKE threads and carried out on
 * the plugin's own. Immutable and counted.
 */
#ifndef ENCDNS_STATE_H_
#define ENCDNS_STATE_H_

#include "encdns_attribute.h"
#include "encdns_config.h"
#include "encdns_ranges.h"

#include <sa/ike_sa.h>

typedef struct encdns_state_t encdns_state_t;

struct encdns_state_t {
	/** name of the connection */
	char *connection;
	/** identity of the gateway, for people */
	char *gateway;
	/** what the connection is configured to find it by: names, addresses, ranges; char* */
	linked_list_t *gateway_names;
	/** where it was found, or NULL */
	host_t *gateway_address;
	/** TRUE if the gateway authenticated with NULL or as nobody (I29) */
	bool anonymous;
	/** configuration that the request was made with, and its section for the connection */
	encdns_config_t *config;
	encdns_laptop_t *laptop;
	/** virtual IPs, host_t* */
	linked_list_t *vips;
	/** remote traffic selectors, encdns_range_t* */
	linked_list_t *ranges;
	/** attributes of the CFG_REPLY, encdns_attribute_t*, as received */
	linked_list_t *attributes;
	/** references */
	refcount_t ref;
};

/**
 * Create an empty one.
 *
 * @param connection	name of the connection, gets cloned
 * @param config		gets another reference
 * @param laptop		section of config
 */
encdns_state_t *encdns_state_create(const char *connection,
									encdns_config_t *config,
									encdns_laptop_t *laptop);

/**
 * Take over by which names the gateway of an IKE_SA is found, and where it was. To be called before
 * the state is shared.
 */
void encdns_state_set_gateway_hosts(encdns_state_t *this, ike_sa_t *ike_sa);

/**
 * Get another reference.
 */
encdns_state_t *encdns_state_ref(encdns_state_t *this);

/**
 * Clone it, to change the clone.
 */
encdns_state_t *encdns_state_clone(encdns_state_t *this);

/**
 * Give a reference back, NULL is fine.
 */
void encdns_state_put(encdns_state_t *this);

#endif /** ENCDNS_STATE_H_ */
