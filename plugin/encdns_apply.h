/*
 * What a desired state and the plugin itself look like on the bus: the arguments of
 * org.strongswan.EncDns1.Manager's Apply and Announce.
 */
#ifndef ENCDNS_APPLY_H_
#define ENCDNS_APPLY_H_

#include "encdns_current.h"
#include "encdns_link.h"
#include "encdns_state.h"

#include <systemd/sd-bus.h>

/**
 * Append what Apply takes.
 *
 * @return			0 or a negative errno
 */
int encdns_apply_append(sd_bus_message *message, encdns_state_t *state,
						encdns_link_t *link);

/**
 * Append what Announce takes.
 *
 * @return			0 or a negative errno
 */
int encdns_announce_append(sd_bus_message *message, encdns_current_t *current);

#endif /** ENCDNS_APPLY_H_ */
