/*
 * Every bound of encdnsd in one place: sizes in octets, times in microseconds. doc/limits.md says what
 * happens beyond each, and names the test that goes there; make check compares the two.
 */
#pragma once

#include <stdint.h>

enum {
	/* What charon tells with Apply; what is beyond is an error of the caller's. */
	LIMIT_CONNECTIONS = 64,      /* at a time, those that are blocked among them */
	LIMIT_CONNECTION_NAME = 255, /* as long as a link's alias may be */
	LIMIT_VIRTUAL_IPS = 64,      /* more than any host has */
	LIMIT_SELECTORS = 4096,
	LIMIT_ATTRIBUTES = 4096, /* more than a CFG_REPLY holds */
	LIMIT_ALGORITHMS = 255,  /* the count in a request has 8 bits */
	LIMIT_LIST = 1024,       /* entries of a list of the policy's */
	LIMIT_TEXT = 4096,       /* any other text */

	LIMIT_DOMAINS = 256, /* per connection: as many does resolved take of a link, before 262 */
	LIMIT_REFUSALS = 64, /* per connection, named one by one; the rest is counted */

	LIMIT_NAME = 255,          /* octets of a name on the wire, RFC 1035 section 2.3.4 */
	LIMIT_QUERIES = 4096,      /* in flight per forwarder; beyond it SERVFAIL at once */
	LIMIT_QUERY_SIZE = 384,    /* longest question (259), header, OPT, padded to a block */
	LIMIT_PADDING_BLOCK = 128, /* RFC 8467 section 4.1 */
	LIMIT_MESSAGE = 65535,     /* what a length of two octets can say */
	LIMIT_ERROR_TEXT = 256,    /* one sentence for people */
	LIMIT_SERVERS = 32,        /* one bit each in a query's mask of servers tried */
	LIMIT_ADDRESSES = 16,      /* per server; the rest is not tried */

	LIMIT_UDP_BATCH = 64,      /* datagrams per system call, in and out */
	LIMIT_UDP_QUERY = 2048,    /* longest datagram taken from an asker */
	LIMIT_UDP_UNASKED = 512,   /* answer to an asker without EDNS, RFC 1035 section 4.2.1 */
	LIMIT_UDP_ANSWER = 65000,  /* longest answer in a datagram, whatever the asker claims */
	LIMIT_UDP_UPSTREAM = 1232, /* EDNS size that we claim: no fragments inside a tunnel */
	LIMIT_UDP_RCVBUF = 4 * 1024 * 1024, /* LIMIT_QUERIES fit, where net.core.rmem_max allows */

	LIMIT_CLIENTS = 64,             /* TCP connections of askers */
	LIMIT_CLIENT_QUERY = 4096,      /* longest query over TCP */
	LIMIT_CLIENT_IN_FLIGHT = 128,   /* queries per TCP connection before it is read no further */
	LIMIT_CLIENT_OUT = 1024 * 1024, /* unread answers before the connection is closed */

	LIMIT_HTTP2_STREAMS = 1024,   /* at a time, if the server allows as many */
	LIMIT_STREAM_OUT = 64 * 1024, /* queries that wait for the socket, per connection */
	LIMIT_PLAIN_SOCKETS = 80,     /* sockets of a plain server, each with a port of its own */
	LIMIT_PLAIN_STREAM = 64,      /* queries asked again over TCP at a time */
	LIMIT_PLAIN_PER_SOCKET = 64,  /* queries before the next random port */

	LIMIT_RESUMPTION = 3600, /* seconds that a session may be resumed without a look at the
								certificate */
};

#define LIMIT_HANDSHAKE_USEC ((uint64_t)3000000) /* TCP and TLS */
#define LIMIT_EYEBALLS_USEC ((uint64_t)250000)   /* RFC 8305: until the next address is tried too */
#define LIMIT_ATTEMPT_USEC ((uint64_t)1500000)   /* a server that has not answered by then is left \
												  */
#define LIMIT_MERGE_USEC ((uint64_t)1000000)     /* who asks the same later is asked for anew */
#define LIMIT_TOTAL_USEC ((uint64_t)4500000)     /* SERVFAIL by then, D6 asks for 5 s */
#define LIMIT_IDLE_USEC ((uint64_t)30000000) /* a connection without queries is kept that long */
#define LIMIT_CLIENT_IDLE_USEC ((uint64_t)30000000)
#define LIMIT_PAUSE_MIN_USEC ((uint64_t)250000) /* before a failed server is tried again, doubled  \
												 */
#define LIMIT_PAUSE_MAX_USEC ((uint64_t)60000000)
#define LIMIT_PAUSE_ASKED_USEC ((uint64_t)10000)   /* while all have failed and somebody asks */
#define LIMIT_PAUSE_PLAIN_USEC ((uint64_t)2000000) /* the same for a plain server */
#define LIMIT_REVIVAL_USEC ((uint64_t)30000)       /* that long may who asks then wait for it */
#define LIMIT_TRIM_USEC ((uint64_t)1000000)        /* after the last change of a server's state */
#define LIMIT_TICK_USEC ((uint64_t)50000)          /* deadlines are looked at no more often */
