/*
 * Gives back memory that was needed once: what start-up and TLS handshakes have touched of the
 * libraries' code, and what the heap keeps spare.
 */
#pragma once

/* The pages come back by themselves, from the page cache, when they are needed again. */
void memory_trim(void);
