/*
 * Whether this system's programs ask systemd-resolved at all: through the stub in /etc/resolv.conf,
 * or through nss-resolve. Where they don't, nothing that is set in resolved protects anybody.
 */
#pragma once

#include <stdbool.h>

struct fitness {
	bool stub;     /* every nameserver in resolv.conf is resolved's stub */
	bool nss;      /* nss-resolve comes before dns in nsswitch.conf, and is installed */
	char *problem; /* why resolved is not the system's resolver; NULL: it is */
	char *warning; /* who bypasses it nevertheless; NULL: nobody */
};

/* nss_module: nss-resolve can be loaded. 0 or -ENOMEM; *ret is untouched on failure. */
int fitness_read(
	const char *resolv_conf, const char *nsswitch, bool nss_module, struct fitness *ret);

bool fitness_nss_module(void);

void fitness_clear(struct fitness *fitness);
