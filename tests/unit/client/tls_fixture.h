/*
 * A forwarder in front of the tests' own TLS server, and the certificates of one run.
 */
#pragma once

#include "forwarder_fixture.h"

#include <openssl/ssl.h>

#include "dot_server.h"

#define ADN "dns.corp.example"

static struct identity authority, proper;
static char ca_file[64];

static inline int make_certificates(void **state)
{
	authority = authority_new("Test CA");
	proper = identity_new(&authority, "DNS:" ADN, NULL, -1, 1);
	identity_write(&authority, ca_file);
	return 0;
}

static inline int drop_certificates(void **state)
{
	unlink(ca_file);
	identity_clear(&proper);
	identity_clear(&authority);
	return 0;
}

static inline struct server server_of(
	const struct dot_server *dot, enum transport transport, struct address *address)
{
	*address = loopback();
	if (dot->address)
		address->in.s_addr = htonl(dot->address);
	return (struct server){
		.priority = 1,
		.transport = transport,
		.adn = (char *)ADN,
		.port = dot->port,
		.dohpath = transport == TRANSPORT_DOH ? (char *)"/dns-query{?dns}" : NULL,
		.addresses = address,
		.n_addresses = 1,
	};
}

static inline void use_servers(struct fixture *fixture, const struct server *servers, size_t n)
{
	struct upstream upstream = {.servers = servers, .n_servers = n, .ca_certificates = ca_file};

	assert_int_equal(forwarder_set_upstream(fixture->forwarder, &upstream), 0);
}

static inline void use(struct fixture *fixture, const struct dot_server *dot)
{
	struct address address;
	struct server server = server_of(dot, TRANSPORT_DOT, &address);

	use_servers(fixture, &server, 1);
}

static inline void doh(struct fixture *fixture, struct dot_server *dot)
{
	struct address address;
	struct server server;

	dot_server_start(dot, &proper);
	server = server_of(dot, TRANSPORT_DOH, &address);
	use_servers(fixture, &server, 1);
}
