/*
 * The plugin `encdns`: encrypted DNS for IKEv2 (RFC 9464, RFC 8598), both roles.
 */
#ifndef ENCDNS_PLUGIN_H_
#define ENCDNS_PLUGIN_H_

#include "compat.h"

#include <plugins/plugin.h>

/**
 * Constructor, called by strongSwan's plugin loader.
 */
plugin_t *encdns_plugin_create(void) __attribute__((visibility("default")));

/**
 * strongSwan's version that the plugin was built for. 6.0.3 and later load no plugin of another one.
 */
extern const char *encdns_plugin_version __attribute__((visibility("default")));

#endif /** ENCDNS_PLUGIN_H_ */
