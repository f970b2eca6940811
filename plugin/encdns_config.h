/*
 * The section `encrypted-dns` of swanctl.conf, read and checked whole. Immutable and counted, so that
 * who uses one keeps it whatever is loaded meanwhile.
 */
#ifndef ENCDNS_CONFIG_H_
#define ENCDNS_CONFIG_H_

#include "encdns_option.h"

typedef struct encdns_config_t encdns_config_t;

struct encdns_config_t {

	/**
	 * Enumerate what gateways hand out, in the file's order.
	 *
	 * @return			enumerator over encdns_gateway_t*
	 */
	enumerator_t *(*create_gateway_enumerator)(encdns_config_t *this);

	/**
	 * Find what a laptop's connection asks for and accepts.
	 *
	 * @param connection	name of the connection
	 * @param vip			TRUE if it requests a virtual IP
	 * @return				the first section that is for it, NULL if there is none
	 */
	encdns_laptop_t *(*get_laptop)(encdns_config_t *this, const char *connection,
								   bool vip);

	/**
	 * Modification time of the newest of the files read, in microseconds since the epoch.
	 */
	uint64_t (*get_time)(encdns_config_t *this);

	/**
	 * Get another reference.
	 */
	encdns_config_t *(*get_ref)(encdns_config_t *this);

	/**
	 * Give a reference back.
	 */
	void (*destroy)(encdns_config_t *this);
};

/**
 * Load a swanctl.conf.
 *
 * @param file		the file; certificates are looked for in x509/ beside it
 * @param report	gets everything that is wrong; who hears the parser's log may add syntax errors
 *					with their line meanwhile
 * @return			NULL if anything is
 */
encdns_config_t *encdns_config_load(const char *file, encdns_report_t *report);

/**
 * Create one without any section: nothing is handed out or asked for.
 */
encdns_config_t *encdns_config_create_empty(void);

#endif /** ENCDNS_CONFIG_H_ */
