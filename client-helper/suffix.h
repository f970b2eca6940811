/*
 * The public suffix list (I23). libpsl and the two libraries that it needs are loaded when the
 * first domain is looked at: a start does not wait for them.
 */
#pragma once

/*
 * 1 if the domain (lower case, no trailing dot) is a public suffix, 0 if not; -ENOENT where there
 * is no list to tell.
 */
int suffix_is_public(const char *domain);
