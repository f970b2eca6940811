#include "other_link.h"

#include <errno.h>
#include <string.h>
#include "bus_message.h"
#include "networkd.h"
#include "resolved.h"
#include "subdomain.h"
#include "util.h"

static bool has_route_only(const struct link_domains *domains)
{
	for (size_t i = 0; i < domains->n; i++)
		if (domains->list[i].route_only)
			return true;
	return false;
}

static int replace(struct link_domains *target, const struct link_domains *source)
{
	struct link_domains copy = {};
	int r;

	r = link_domains_copy(source, &copy);
	if (r < 0)
		return r;
	link_domains_clear(target);
	*target = copy;
	return 0;
}

static int without(
	const struct link_domains *domains, char *const *protected, struct link_domains *ret)
{
	struct link_domains left = {};
	int r = 0;

	for (size_t i = 0; i < domains->n && r >= 0; i++)
		if (!subdomain_of_any(domains->list[i].name, protected))
			r = link_domains_add(&left, domains->list[i].name, domains->list[i].route_only);
	if (r < 0) {
		link_domains_clear(&left);
		return r;
	}
	link_domains_clear(ret);
	*ret = left;
	return 0;
}

static void forget(struct other_link *other)
{
	other->taken = false;
	other->pinned = false;
	link_domains_clear(&other->base);
	link_domains_clear(&other->set);
}

int other_link_judge(struct other_link *other, char *const *protected)
{
	int r;

	/* Whoever owns the link has given it other domains than those that we left: these count now. */
	if (!other->taken || !link_domains_equal(&other->current, &other->set)) {
		forget(other);
		r = replace(&other->base, &other->current);
		if (r < 0)
			return r;
	}
	r = without(&other->base, protected, &other->wanted);
	if (r < 0)
		return r;
	/* What a reconfiguration showed for a moment may have passed for the owner's domains, so networkd
	 * is made to go back to its own in any case. */
	if (other->told && (!protected || !protected[0])) {
		other->step = OTHER_DOMAINS;
		return 0;
	}
	if (link_domains_equal(&other->wanted, &other->current)) {
		if (link_domains_equal(&other->wanted, &other->base))
			forget(other);
		other->step = OTHER_IDLE;
		free(other->failure);
		other->failure = NULL;
		return 0;
	}
	r = replace(&other->set, &other->wanted);
	if (r < 0)
		return r;
	other->taken = true;
	other->step =
		!other->pinned && has_route_only(&other->current) && !has_route_only(&other->wanted)
			? OTHER_LOOK
			: OTHER_DOMAINS;
	return 0;
}

static bool giving_back(const struct other_link *other)
{
	return link_domains_equal(&other->wanted, &other->base);
}

int other_link_start(struct other_link *other, sd_bus *bus, sd_bus_message_handler_t done)
{
	switch (other->step) {
	case OTHER_LOOK:
		return resolved_read_link(bus, other->ifindex, done, other, &other->call);
	case OTHER_PIN:
		return (other->networkd ? networkd_set_default_route : resolved_set_default_route)(
			bus, other->ifindex, false, done, other, &other->call);
	case OTHER_DOMAINS:
		if (other->networkd && giving_back(other))
			return networkd_revert_dns(bus, other->ifindex, done, other, &other->call);
		return (other->networkd ? networkd_set_domains : resolved_set_domains)(
			bus, other->ifindex, &other->wanted, done, other, &other->call);
	case OTHER_IDLE:
		break;
	}
	return -EINVAL;
}

static void finish_look(struct other_link *other, sd_bus_message *reply)
{
	struct resolved_link is = {};

	other->step = OTHER_DOMAINS;
	if (sd_bus_message_is_method_error(reply, NULL) || resolved_parse_link(reply, &is) < 0)
		return;
	if (!is.default_route)
		other->step = OTHER_PIN;
	resolved_link_clear(&is);
}

static void finish_change(struct other_link *other, const sd_bus_error *error, bool *ret_gone)
{
	if (error && !other->networkd &&
		sd_bus_error_has_name(error, "org.freedesktop.resolve1.LinkBusy")) {
		other->networkd = true; /* and the same step again */
		return;
	}
	if (error && (sd_bus_error_has_name(error, "org.freedesktop.resolve1.NoSuchLink") ||
					 sd_bus_error_has_name(error, "org.freedesktop.network1.NoSuchLink"))) {
		other->step = OTHER_IDLE;
		*ret_gone = true;
		return;
	}
	free(other->failure);
	other->failure = NULL;
	if (error) {
		if (bus_error_to_text(error, other->networkd ? "systemd-networkd" : "systemd-resolved",
				&other->failure) < 0)
			other->failure = strdup("out of memory");
	} else {
		other->pinned = other->pinned || other->step == OTHER_PIN;
	}
	/* Reverting is tried once: networkd that is gone has taken with it what we told. */
	if (other->networkd && other->step == OTHER_DOMAINS)
		other->told = giving_back(other) ? false : other->told || !error;
	other->step = !error && other->step == OTHER_PIN ? OTHER_DOMAINS : OTHER_IDLE;
}

void other_link_finish(struct other_link *other, sd_bus_message *reply, bool *ret_gone)
{
	*ret_gone = false;
	other->call = sd_bus_slot_unref(other->call);
	if (other->step == OTHER_LOOK)
		finish_look(other, reply);
	else
		finish_change(other, sd_bus_message_get_error(reply), ret_gone);
}

struct other_link *other_link_free(struct other_link *other)
{
	if (!other)
		return NULL;
	sd_bus_slot_unref(other->call);
	link_domains_clear(&other->current);
	link_domains_clear(&other->wanted);
	link_domains_clear(&other->base);
	link_domains_clear(&other->set);
	free(other->failure);
	free(other);
	return NULL;
}
