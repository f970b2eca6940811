/*
 * One link that is not ours and claims a domain that is (I19): what it had, what it is left with,
 * and the way there, through resolved or, where that says LinkBusy, through networkd.
 *
 * Taking the last routing domain off a link makes resolved volunteer it for everything that nobody
 * claims, so where it was no default route it is pinned to that first.
 */
#pragma once

#include <stdbool.h>
#include <net/if.h>
#include <systemd/sd-bus.h>
#include "link_domains.h"

enum other_step {
	OTHER_IDLE,
	OTHER_LOOK,    /* is it a default route? */
	OTHER_PIN,     /* it is none, and stays none */
	OTHER_DOMAINS, /* leave it with what is wanted */
};

struct links;

struct other_link {
	struct links *links;
	int ifindex;
	char name[IF_NAMESIZE];
	struct link_domains current; /* as resolved said last */
	struct link_domains wanted;
	bool taken;               /* base and set are valid: we changed it */
	struct link_domains base; /* what its owner gave it */
	struct link_domains set;  /* what we left it with */
	bool networkd;            /* networkd manages it */
	bool told;                /* networkd has domains from us, which count until it reverts them */
	bool pinned;
	bool has_servers; /* so it is asked */
	enum other_step step;
	sd_bus_slot *call;
	char *failure; /* why the last attempt failed; NULL: it did not */
};

/* Starts the step; what happens then is up to done. 0 or -errno. */
int other_link_start(struct other_link *other, sd_bus *bus, sd_bus_message_handler_t done);

/*
 * Takes in the reply to the step: the next step, or OTHER_IDLE with or without a failure.
 * *ret_gone: there is no such link any more.
 */
void other_link_finish(struct other_link *other, sd_bus_message *reply, bool *ret_gone);

/* Where resolved said something new: what is wanted under the protected domains, and the first
 * step. */
int other_link_judge(struct other_link *other, char *const *protected);

struct other_link *other_link_free(struct other_link *other); /* takes NULL, returns NULL */
