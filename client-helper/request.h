/*
 * What Apply says of one connection, read and bounded but not judged: plan.c does that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "address.h"
#include "policy.h"
#include "selectors.h"

struct attribute {
	uint16_t type;
	uint8_t *value;
	size_t length;
};

struct request {
	char *connection;
	char *link;
	int ifindex;
	struct address *virtual_ips;
	size_t n_virtual_ips;
	struct range *selectors;
	size_t n_selectors;
	struct attribute *attributes; /* in the order received */
	size_t n_attributes;
	uint16_t *algorithms; /* that the request listed; none: SHA2-256 */
	size_t n_algorithms;
	char *gateway;                    /* the responder's identity; NULL: not told */
	struct known_hosts gateway_hosts; /* the names that the connection is configured with */
	bool anonymous;
	struct policy policy;
};

/* Frees what it owns and zeroes it. */
void request_clear(struct request *request);

bool request_has_family(const struct request *request, int family); /* a virtual IP of it */
