/*
 * Sockets that stay in the tunnel. One that is bound to a virtual IP alone does not, where the tunnel
 * has a device of its own: when the address is gone, the kernel sends IPv6, of UDP and of a TCP
 * connection, by the next route that there is.
 */
#pragma once

#include "server.h"

/*
 * Binds a socket to the device that leads from a virtual IP to a server, where that is a tunnel's
 * own. Not to a physical one, where IPsec takes what policies say: a connection outlives the move to
 * another one.
 */
void tunnel_bind(int fd, const struct address *source, const struct address *server);
