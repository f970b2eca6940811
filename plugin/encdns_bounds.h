/*
 * How much of anything the plugin takes, in one place. doc/limits.md says what happens beyond each of
 * these, and names the test that goes there; make check compares the two.
 */
#ifndef ENCDNS_BOUNDS_H_
#define ENCDNS_BOUNDS_H_

/** How often an attribute may be repeated (RFC 9464, section 4, leaves the number to us) */
#define ENCDNS_REPEATS_MAX 16

/** How many different attributes of ours are kept; nobody needs a fraction of it */
#define ENCDNS_ATTRIBUTES_MAX 256

/** Most links that we make; who has more connections than that at a time is not a laptop */
#define ENCDNS_LINKS_MAX 64

/** Longest alias that the kernel keeps */
#define ENCDNS_ALIAS_MAX 255

/** How deep files may include each other, as the lexer has it no better */
#define ENCDNS_INCLUDES_MAX 10

#endif /** ENCDNS_BOUNDS_H_ */
