/*
 * One query to one resolver, through the forwarder itself: what it can and cannot do is found out
 * with the code that matters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "server.h"

struct probe {
	const struct server *server;
	const struct address *virtual_ips; /* none: from any address */
	size_t n_virtual_ips;
	const char *ca_certificates; /* NULL: the system's trust store */
	const char *name;            /* to ask for its SOA record */
};

struct probe_result {
	bool answered; /* with anything but SERVFAIL of our own making */
	int rcode;     /* of the answer; -1: none */
	char *error;   /* why not: a sentence; NULL: not known */
	char *tls_version;
	bool pinned; /* authenticated by its digest, else by its certificate */
	uint64_t handshake_usec;
};

/* 0 or -errno; takes as long as the forwarder's limits let it. */
int probe_run(const struct probe *probe, struct probe_result *ret);

/* The same over UDP to whoever listens there: encdnsd's own listener. *ret_rcode -1: no answer. */
int probe_listener(const struct address *address, uint16_t port, const char *name, int *ret_rcode);

void probe_result_clear(struct probe_result *result);
