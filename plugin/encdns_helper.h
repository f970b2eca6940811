/*
 * encdnsd, seen from the plugin: whether it is on the system bus, how to get it there, and calls to it.
 * It is announced to whenever it appears, before anything else is said to it.
 *
 * Belongs to one thread, which process()es it and waits for its file descriptor.
 */
#ifndef ENCDNS_HELPER_H_
#define ENCDNS_HELPER_H_

#include "encdns_current.h"

#include <systemd/sd-bus.h>

typedef struct encdns_helper_t encdns_helper_t;
typedef struct encdns_helper_events_t encdns_helper_events_t;

/**
 * What is to be told about encdnsd.
 */
struct encdns_helper_events_t {

	/**
	 * It came, or it went, or the bus did: calls under way are forgotten, it knows nothing any more.
	 */
	void (*changed)(void *data);

	/**
	 * It needs a link no more; the name is empty where there was none.
	 */
	void (*released)(void *data, const char *connection, const char *link);

	/**
	 * A connection has lost its link.
	 */
	void (*link_wanted)(void *data, const char *connection);
};

struct encdns_helper_t {

	/**
	 * Join the bus if we are not on it, and do what is to be done.
	 */
	void (*process)(encdns_helper_t *this);

	/**
	 * Is encdnsd there to be called?
	 */
	bool (*is_present)(encdns_helper_t *this);

	/**
	 * Get it there if it is not.
	 */
	void (*want)(encdns_helper_t *this);

	/**
	 * Why it will not be there soon, NULL if it may.
	 */
	const char *(*get_problem)(encdns_helper_t *this);

	/**
	 * Something has changed around us, it may have been installed.
	 */
	void (*look_again)(encdns_helper_t *this);

	/**
	 * Tell it, if it is there, what we are and have loaded.
	 */
	void (*announce)(encdns_helper_t *this);

	/**
	 * Make a call of its interface, to be filled and sent.
	 *
	 * @return			0 or a negative errno
	 */
	int (*prepare)(encdns_helper_t *this, const char *method,
				   sd_bus_message **ret_message);

	/**
	 * Send a call.
	 *
	 * @param callback	called with the reply, or with the error that there is none
	 * @param ret_slot	to be unreferenced by the caller, which forgets the call
	 * @return			0 or a negative errno
	 */
	int (*send)(encdns_helper_t *this, sd_bus_message *message,
				sd_bus_message_handler_t callback, void *data,
				sd_bus_slot **ret_slot);

	/**
	 * What to wait for.
	 *
	 * @param ret_fd		file descriptor, -1 if there is none
	 * @param ret_events	of poll()
	 * @param ret_until		monotonic time in ms, UINT64_MAX for none
	 */
	void (*get_wait)(encdns_helper_t *this, int *ret_fd, short *ret_events,
					 uint64_t *ret_until);

	/**
	 * Leave the bus.
	 */
	void (*destroy)(encdns_helper_t *this);
};

/**
 * Create it, not on the bus yet.
 *
 * @param current		the configuration in force
 * @param events		whom to tell, during process()
 */
encdns_helper_t *encdns_helper_create(encdns_current_t *current,
									  const encdns_helper_events_t *events,
									  void *data);

#endif /** ENCDNS_HELPER_H_ */
