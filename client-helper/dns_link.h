/*
 * The settings of one link of ours in systemd-resolved, kept as wanted: read, change what differs,
 * read again. Nothing is called where nothing differs; what fails is tried again with growing
 * pauses; what another program changes, or a restart of resolved loses, is put back at the next
 * check.
 *
 * Domains and default route come before the server, as resolved would otherwise ask the new server
 * for everything in between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct dns_link;

enum dns_link_state {
	DNS_LINK_APPLYING, /* calls are under way */
	DNS_LINK_SET,      /* resolved says that it is as wanted, and that it asks us */
	DNS_LINK_WAITING,  /* something is missing: see dns_link_reason() */
	DNS_LINK_REVERTED,
};

typedef void (*dns_link_changed_t)(struct dns_link *link, void *userdata);

/* 0 or -ENOMEM. Nothing is called before dns_link_set(). */
int dns_link_new(
	sd_bus *bus, int ifindex, dns_link_changed_t changed, void *userdata, struct dns_link **ret);

struct dns_link_settings {
	uint16_t port;         /* on 127.0.0.1 */
	char *const *domains;  /* that go there; "." is everything */
	bool validate;         /* with DNSSEC; else as resolved's own configuration says */
	char *const *insecure; /* domains that are not validated */
};

/*
 * Starts the way there where this is new, does nothing where it is what was wanted before. 0 or
 * -ENOMEM.
 */
int dns_link_set(struct dns_link *link, const struct dns_link_settings *settings);

/* Looks again: resolved may have changed. */
void dns_link_check(struct dns_link *link);

/* resolved left the bus; came to it. */
void dns_link_lost(struct dns_link *link);
void dns_link_found(struct dns_link *link);

/* Forgets what is wanted and makes resolved forget; changed is called in DNS_LINK_REVERTED, always.
 */
void dns_link_revert(struct dns_link *link);

enum dns_link_state dns_link_state(const struct dns_link *link);
const char *dns_link_reason(const struct dns_link *link); /* NULL unless DNS_LINK_WAITING */

struct dns_link *dns_link_free(struct dns_link *link); /* takes NULL, returns NULL; calls nothing */
