/*
 * systemd-resolved's D-Bus interface (org.freedesktop.resolve1): every call that encdnsd makes of
 * it is here, and all are asynchronous. Each call hands *ret_slot to the caller, who drops it to
 * forget the call; done gets the reply, an error one where it failed. 0 or -errno when not even
 * sent.
 *
 * resolved is never started by a call: where it does not run, that is the system's choice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include "address.h"
#include "link_domains.h"

#define RESOLVED_NAME "org.freedesktop.resolve1"

/* What resolved says of one link. */
struct resolved_link {
	bool has_scope;   /* takes part in DNS */
	size_t n_servers; /* server and port are those of the first one */
	struct address server;
	uint16_t port;
	struct link_domains domains;
	bool default_route;
	bool llmnr, mdns, dns_over_tls; /* not "no" */
	bool dnssec;                    /* "yes", be it by default */
	char **insecure;                /* negative trust anchors, in no order */
};

/* What resolved says of everything: which links have which domains, and DNS servers at all. */
struct resolved_overview {
	struct overview_domain {
		int ifindex; /* 0: resolved's own configuration */
		struct link_domain domain;
	} * domains;
	size_t n_domains;
	int *servers; /* the links of the DNS servers; one entry per server */
	size_t n_servers;
	bool stub; /* resolved listens on 127.0.0.53 */
};

int resolved_read_link(sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata,
	sd_bus_slot **ret_slot);
int resolved_read_overview(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);

/* The replies to these. 0 or -errno; *ret is untouched on failure. */
int resolved_parse_link(sd_bus_message *reply, struct resolved_link *ret);
int resolved_parse_overview(sd_bus_message *reply, struct resolved_overview *ret);
void resolved_link_clear(struct resolved_link *link);
void resolved_overview_clear(struct resolved_overview *overview);

int resolved_set_dns(sd_bus *bus, int ifindex, const struct address *server, uint16_t port,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);
int resolved_set_domains(sd_bus *bus, int ifindex, const struct link_domains *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);
int resolved_set_default_route(sd_bus *bus, int ifindex, bool enable, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot);

/* "SetLinkLLMNR", "SetLinkMulticastDNS", "SetLinkDNSOverTLS": all three to "no". */
int resolved_turn_off(sd_bus *bus, int ifindex, const char *method, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot);

/* yes: every answer must validate; else what resolved's own configuration says. */
int resolved_set_dnssec(sd_bus *bus, int ifindex, bool yes, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot);

/* Negative trust anchors of the link: these domains and what is below them are not validated. */
int resolved_set_insecure(sd_bus *bus, int ifindex, char *const *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);

int resolved_revert(sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata,
	sd_bus_slot **ret_slot);
int resolved_flush_caches(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot);
