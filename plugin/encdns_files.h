/*
 * Which files a configuration file includes, for the one question when any of them was last changed:
 * libstrongswan's settings do not tell what they have read.
 */
#ifndef ENCDNS_FILES_H_
#define ENCDNS_FILES_H_

#include "compat.h"

/**
 * Modification time of the newest of a file and what it includes.
 *
 * @param file		path of a file in strongSwan's syntax
 * @return			microseconds since the epoch, 0 if it cannot be read
 */
uint64_t encdns_files_newest(const char *file);

#endif /** ENCDNS_FILES_H_ */
