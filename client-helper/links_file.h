/*
 * The file of what was taken off other links, so that a crash does not keep it from them. JSON:
 *
 *	[{"ifindex": 2, "link": "eth0", "networkd": false, "pinned": false,
 *	  "base": ["corp.example", "~lab.example"], "set": []}]
 *
 * Routing domains begin with "~".
 */
#pragma once

#include <stddef.h>
#include "other_link.h"

/* Writes those that are taken; none removes the file. 0 or -errno. */
int links_file_save(const char *path, struct other_link *const *links, size_t n);

/* No file: nothing. What cannot be read or names a link that is gone is left out. 0 or -ENOMEM. */
int links_file_load(const char *path, struct other_link ***ret, size_t *ret_n);
