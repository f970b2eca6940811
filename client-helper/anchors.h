/*
 * The trust anchors of all connections in systemd-resolved: one file among those that it reads
 * when it starts or is reloaded (dnssec-trust-anchors.d(5)); there is no way over the bus. What is
 * wanted is compared with the file, written, and resolved made to read it, not more often than
 * systemd lets a unit be restarted; what fails is tried again with growing pauses.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include "wire/trust_anchor.h"

#define ANCHORS_FILE "/run/dnssec-trust-anchors.d/encdns.positive"

struct anchors;

typedef void (*anchors_changed_t)(struct anchors *anchors, void *userdata);

/*
 * file: exists, and is ours to write. pending: path of a file that is there from before the first
 * change until resolved has read it, so that a restart of ours knows; NULL: none is kept. 0 or
 * -errno.
 */
int anchors_new(sd_bus *bus, const char *file, const char *pending, anchors_changed_t changed,
	void *userdata, struct anchors **ret);

/* One line of the file, to be freed: a DS record. 0 or -ENOMEM. */
int anchors_line(const char *domain, const struct trust_anchor *anchor, char **ret);

/* These lines, and no others; order and repeats don't matter. 0 or -ENOMEM. */
int anchors_want(struct anchors *anchors, char *const *lines);

/* Looks again: somebody may have touched the file. */
void anchors_check(struct anchors *anchors);

/* Whether resolved has read all of these lines, and they are still wanted. */
bool anchors_in_force(const struct anchors *anchors, char *const *lines);

/* Why what is wanted is not in force; NULL: it is, or is on the way. */
const char *anchors_failure(const struct anchors *anchors);

bool anchors_reloading(const struct anchors *anchors); /* resolved may be away for a moment */

struct anchors *anchors_free(
	struct anchors *anchors); /* takes NULL, returns NULL; changes nothing */
