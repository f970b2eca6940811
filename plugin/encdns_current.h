/*
 * The configuration in force: loads, keeps the last good one, says what was wrong with a bad one.
 */
#ifndef ENCDNS_CURRENT_H_
#define ENCDNS_CURRENT_H_

#include "encdns_config.h"

typedef struct encdns_current_t encdns_current_t;

struct encdns_current_t {

	/**
	 * Load the file. What is in force changes only if all of it is fine.
	 *
	 * @return			TRUE if it is
	 */
	bool (*load)(encdns_current_t *this);

	/**
	 * Get the configuration in force.
	 *
	 * @return			a reference, to be destroyed by the caller
	 */
	encdns_config_t *(*get)(encdns_current_t *this);

	/**
	 * Path of the file.
	 */
	const char *(*get_file)(encdns_current_t *this);

	/**
	 * What was wrong when it was last loaded.
	 *
	 * @return			list of char*, to be destroyed by the caller; empty: nothing
	 */
	linked_list_t *(*get_errors)(encdns_current_t *this);

	/**
	 * Destroy it.
	 */
	void (*destroy)(encdns_current_t *this);
};

/**
 * Create it, with nothing loaded.
 *
 * @param file		path of swanctl.conf
 */
encdns_current_t *encdns_current_create(const char *file);

#endif /** ENCDNS_CURRENT_H_ */
