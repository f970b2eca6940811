/*
 * Names as an administrator writes them in swanctl.conf: U-labels ("bücher.example") become the
 * A-labels that all RFCs ask for on the wire (RFC 5890).
 */
#ifndef ENCDNS_NAME_H_
#define ENCDNS_NAME_H_

#include "compat.h"

#include "wire/name.h"

/**
 * Normalise a name: A-labels, lower case, no trailing dot.
 *
 * @param text		UTF-8
 * @param kind		what it is the name of
 * @param name		gets the name
 * @param why		gets why it is none, static
 * @return			FALSE if it is none
 */
bool encdns_name_normalise(const char *text, enum name_kind kind,
						   char name[NAME_SIZE], const char **why);

#endif /** ENCDNS_NAME_H_ */
