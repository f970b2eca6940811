/*
 * The domains of links that are not ours (I19, I20): resolved asks every link whose domain is the
 * longest match, search domains too, so a hotel that hands out corp.example by DHCP would be asked
 * for internal names. Domains within the protected ones are taken off such links, taken again when
 * they come back, and given back at the end. Where that fails, the claim is a leak.
 *
 * What was taken is kept in a file, so that it is given back after a crash as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>
#include "other_link.h"

struct links;

typedef void (*links_changed_t)(struct links *links, void *userdata);

/* path: the file of what was taken, read now; NULL: none. 0 or -errno. */
int links_new(
	sd_bus *bus, const char *path, links_changed_t changed, void *userdata, struct links **ret);

/* Domains that no link but the own ones may claim; replaces those of before. 0 or -ENOMEM. */
int links_protect(struct links *links, char *const *domains, const int *own, size_t n_own);

/* Looks again: some link may have changed. */
void links_check(struct links *links);

/* All is as wanted, or failed for good: nothing is under way. */
bool links_settled(const struct links *links);

/* Why names in the domains may go elsewhere, a sentence to be freed, or NULL. 0 or -ENOMEM. */
int links_leak(const struct links *links, char *const *domains, char **ret);

/* For the status: the links that something was taken off. */
size_t links_n(const struct links *links);
const struct other_link *links_at(const struct links *links, size_t index);

struct links *links_free(struct links *links); /* takes NULL, returns NULL; gives nothing back */
