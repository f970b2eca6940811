/*
 * What stands between us and strongSwan's headers, and nothing else does.
 *
 * strongSwan compiles its own files with a config.h, and its headers lean on it: some choose between
 * libc and a replacement, some the size of a type, and struct ike_sa_t has members under ME. We are
 * built from headers whose configure has not run, so the choices are made here as Linux with glibc
 * (2.36 at least) asks for. ME and STRONGSWAN_VERSION come from configure.
 *
 * To be included first in every file of the plugin.
 */
#ifndef ENCDNS_COMPAT_H_
#define ENCDNS_COMPAT_H_

/* automake's VERSION is ours, which is PACKAGE_VERSION too */
#undef VERSION
#define VERSION STRONGSWAN_VERSION

#define CONFIG_H_INCLUDED
#define HAVE_ALLOCA_H
#define HAVE_CLOCK_GETTIME
#define HAVE_CLOSEFROM
#define HAVE_CONDATTR_CLOCK_MONOTONIC
#define HAVE_EXPLICIT_BZERO
#define HAVE_FMEMOPEN
#define HAVE_GCC_ATOMIC_OPERATIONS
#define HAVE_GCC_SYNC_OPERATIONS
#define HAVE_MEMRCHR
#define HAVE_SIGWAITINFO
#define HAVE_STDBOOL_H
#define HAVE__BOOL
#define HAVE_SYS_PARAM_H
#define USE_IKEV2
#ifdef __SIZEOF_INT128__
# define HAVE_INT128
#endif

#include <library.h>
#include <daemon.h>

#endif /** ENCDNS_COMPAT_H_ */
