/*
 * What the plugin's tests share: libstrongswan and libcharon without a daemon, files in a folder of the
 * test's own, and lists as text.
 */
#ifndef SUPPORT_H_
#define SUPPORT_H_

#include "compat.h"
#include "encdns_attribute.h"
#include "encdns_report.h"

#include <setjmp.h>
#include <cmocka.h>

/** Group setup and teardown for cmocka: libstrongswan, libcharon and the plugins that know certificates */
int start_strongswan(void **state);
int stop_strongswan(void **state);

/** A folder of the test's own, made by start_strongswan() and removed by stop_strongswan() */
extern char folder[64];

/** Write a file below the folder; its path is valid until the next call */
const char *write_file(const char *name, const char *text);

/** The text of a file of the source tree; to be freed */
char *read_source(const char *name);

/** All messages of a report, each on a line; to be freed */
char *messages_of(encdns_report_t *report);

/** Attributes as text, "27:0001... 25:..."; to be freed */
char *text_of(linked_list_t *attributes);

#endif /** SUPPORT_H_ */
