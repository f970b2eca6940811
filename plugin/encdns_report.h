/*
 * What is wrong with a configuration: one message per mistake, each with its path in the file.
 */
#ifndef ENCDNS_REPORT_H_
#define ENCDNS_REPORT_H_

#include "compat.h"

typedef struct encdns_report_t encdns_report_t;

struct encdns_report_t {

	/**
	 * Add a message.
	 *
	 * @param path		where: "encrypted-dns.corp.resolvers.dot.port", a file's name
	 * @param fmt		what, of printf's own conversions only
	 */
	void (*add)(encdns_report_t *this, const char *path, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

	/**
	 * Number of messages so far.
	 */
	u_int (*get_count)(encdns_report_t *this);

	/**
	 * Enumerate the messages, in the order added.
	 *
	 * @return			enumerator over char*
	 */
	enumerator_t *(*create_enumerator)(encdns_report_t *this);

	/**
	 * Destroy the report with its messages.
	 */
	void (*destroy)(encdns_report_t *this);
};

/**
 * Create an empty report.
 */
encdns_report_t *encdns_report_create(void);

#endif /** ENCDNS_REPORT_H_ */
