/*
 * encdnsd --standalone: the forwarder alone, in the foreground, without D-Bus and resolved. For
 * measuring and debugging.
 */
#pragma once

/* The arguments behind --standalone. Returns the exit status: 0, 1 (cannot run), 2 (misuse). */
int standalone_main(int argc, char *argv[]);
