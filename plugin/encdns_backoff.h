/*
 * When to try again what has failed: after pauses that grow from one second to one minute.
 */
#ifndef ENCDNS_BACKOFF_H_
#define ENCDNS_BACKOFF_H_

#include "compat.h"

typedef struct encdns_backoff_t encdns_backoff_t;

/**
 * All zero: nothing has failed.
 */
struct encdns_backoff_t {
	/** monotonic time to try again at, in ms; 0: at once */
	uint64_t until;
	/** last pause, in ms */
	u_int pause;
};

/**
 * Monotonic time in milliseconds.
 */
uint64_t encdns_now(void);

/**
 * Something failed. Failures during a pause do not make it longer.
 */
void encdns_backoff_failed(encdns_backoff_t *this);

/**
 * May it be tried (again)?
 */
bool encdns_backoff_is_over(encdns_backoff_t *this);

/**
 * It worked, or there is reason to think that it will.
 */
void encdns_backoff_reset(encdns_backoff_t *this);

#endif /** ENCDNS_BACKOFF_H_ */
