#include "dns_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "bus_message.h"
#include "resolved.h"
#include "subdomain.h"
#include "util.h"

#define RETRY_FIRST_USEC (50 * UINT64_C(1000))
#define RETRY_MOST_USEC (5 * UINT64_C(1000000))

/* What is set on a link. The server comes last, when all others are there. */
enum setting {
	SETTING_DOMAINS,
	SETTING_DEFAULT_ROUTE,
	SETTING_LLMNR,
	SETTING_MDNS,
	SETTING_DNS_OVER_TLS,
	SETTING_DNSSEC,
	SETTING_INSECURE,
	SETTING_SERVER,
	N_SETTINGS,
};

struct dns_link {
	sd_bus *bus;
	int ifindex;
	dns_link_changed_t changed;
	void *userdata;

	struct address server;
	uint16_t port; /* 0: nothing is wanted */
	struct link_domains domains;
	bool default_route;
	bool validate;
	bool released; /* not to be validated by us, and resolved knows */
	char **insecure;

	enum dns_link_state state;
	char *reason;
	bool differs[N_SETTINGS];
	sd_bus_slot *calls[N_SETTINGS]; /* settings under way */
	sd_bus_slot *other;             /* the reading or reverting under way */
	bool again;                     /* a check was asked for meanwhile */
	unsigned rounds;                /* of settings since the last pause */
	sd_event_source *kick;          /* what brings the next reading */
	uint64_t pause_usec;
};

static void enter(struct dns_link *link, enum dns_link_state state, const char *reason)
{
	bool same_reason = reason && link->reason ? strcmp(reason, link->reason) == 0
											  : reason == NULL && link->reason == NULL;

	if (link->state == state && same_reason)
		return;
	link->state = state;
	set_text(&link->reason, "%s", reason ? reason : "");
	if (!reason) {
		free(link->reason);
		link->reason = NULL;
	}
	link->changed(link, link->userdata);
}

static void forget_calls(struct dns_link *link)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		link->calls[i] = sd_bus_slot_unref(link->calls[i]);
		link->differs[i] = false;
	}
	link->other = sd_bus_slot_unref(link->other);
}

static bool busy(const struct dns_link *link)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (link->calls[i])
			return true;
	return link->other != NULL;
}

static void look_in(struct dns_link *link, uint64_t usec)
{
	sd_event_source_set_time_relative(link->kick, usec);
	sd_event_source_set_enabled(link->kick, SD_EVENT_ONESHOT);
}

static void wait_and_retry(struct dns_link *link, const char *reason)
{
	forget_calls(link);
	link->rounds = 0;
	look_in(link, link->pause_usec);
	link->pause_usec =
		link->pause_usec * 2 < RETRY_MOST_USEC ? link->pause_usec * 2 : RETRY_MOST_USEC;
	enter(link, DNS_LINK_WAITING, reason);
}

static void fail(struct dns_link *link, const sd_bus_error *error, int r)
{
	cleanup_free char *reason = NULL;

	link->released = false;
	if (error)
		(void)!bus_error_to_text(error, "systemd-resolved", &reason);
	else
		set_text(&reason, "systemd-resolved cannot be asked: %s", strerror(-r));
	wait_and_retry(link, reason ? reason : "out of memory");
}

static int on_set(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct dns_link *link = userdata;
	sd_bus_slot *current = sd_bus_get_current_slot(link->bus);

	for (size_t i = 0; i < N_SETTINGS; i++)
		if (link->calls[i] == current)
			link->calls[i] = sd_bus_slot_unref(link->calls[i]);
	if (sd_bus_message_is_method_error(reply, NULL))
		fail(link, sd_bus_message_get_error(reply), 0);
	else if (!busy(link))
		look_in(link, 0);
	return 0;
}

static int start_setting(struct dns_link *link, enum setting setting)
{
	sd_bus_slot **slot = &link->calls[setting];

	switch (setting) {
	case SETTING_DOMAINS:
		return resolved_set_domains(link->bus, link->ifindex, &link->domains, on_set, link, slot);
	case SETTING_DEFAULT_ROUTE:
		return resolved_set_default_route(
			link->bus, link->ifindex, link->default_route, on_set, link, slot);
	case SETTING_LLMNR:
		return resolved_turn_off(link->bus, link->ifindex, "SetLinkLLMNR", on_set, link, slot);
	case SETTING_MDNS:
		return resolved_turn_off(
			link->bus, link->ifindex, "SetLinkMulticastDNS", on_set, link, slot);
	case SETTING_DNS_OVER_TLS:
		return resolved_turn_off(link->bus, link->ifindex, "SetLinkDNSOverTLS", on_set, link, slot);
	case SETTING_DNSSEC:
		link->released = !link->validate;
		return resolved_set_dnssec(link->bus, link->ifindex, link->validate, on_set, link, slot);
	case SETTING_INSECURE:
		return resolved_set_insecure(link->bus, link->ifindex, link->insecure, on_set, link, slot);
	case SETTING_SERVER:
		return resolved_set_dns(
			link->bus, link->ifindex, &link->server, link->port, on_set, link, slot);
	case N_SETTINGS:
		break;
	}
	return -EINVAL;
}

static bool same_strings(char *const *a, char *const *b)
{
	size_t n = list_length(a);

	if (n != list_length(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t j = 0; j < n; j++)
			found = found || subdomain_equal(a[i], b[j]);
		if (!found)
			return false;
	}
	return true;
}

/*
 * resolved says what counts on the link, not whether that was set on it or is the default: so "yes"
 * that is not wanted is taken back once, and what remains then is the default.
 */
static bool dnssec_differs(const struct dns_link *link, const struct resolved_link *is)
{
	return link->validate ? !is->dnssec : is->dnssec && !link->released;
}

/* Whether something differs. */
static bool compare(struct dns_link *link, const struct resolved_link *is)
{
	bool any = false;

	link->differs[SETTING_DOMAINS] = !link_domains_equal(&link->domains, &is->domains);
	link->differs[SETTING_DEFAULT_ROUTE] = link->default_route != is->default_route;
	link->differs[SETTING_LLMNR] = is->llmnr;
	link->differs[SETTING_MDNS] = is->mdns;
	link->differs[SETTING_DNS_OVER_TLS] = is->dns_over_tls;
	link->differs[SETTING_DNSSEC] = dnssec_differs(link, is);
	link->differs[SETTING_INSECURE] = !same_strings(link->insecure, is->insecure);
	link->differs[SETTING_SERVER] =
		is->n_servers != 1 || is->port != link->port || !address_equal(&is->server, &link->server);
	for (size_t i = 0; i < N_SETTINGS; i++)
		any = any || link->differs[i];
	return any;
}

/* All that differ but the server at once; the server when nothing else differs. */
static void start_settings(struct dns_link *link)
{
	bool others = false;
	int r = 0;

	for (size_t i = 0; i < SETTING_SERVER && r >= 0; i++) {
		if (!link->differs[i])
			continue;
		others = true;
		r = start_setting(link, i);
	}
	if (!others)
		r = start_setting(link, SETTING_SERVER);
	if (r < 0)
		fail(link, NULL, r);
}

static void compare_and_set(struct dns_link *link, const struct resolved_link *is)
{
	if (compare(link, is)) {
		/* Two rounds do it; who needs more fights with another program, and that at a slow pace. */
		if (++link->rounds > 3) {
			wait_and_retry(link, "another program keeps changing the link's settings");
			return;
		}
		enter(link, DNS_LINK_APPLYING, NULL);
		start_settings(link);
		return;
	}
	link->rounds = 0;
	if (!is->has_scope) {
		wait_and_retry(link, "systemd-resolved has no DNS scope on the link");
		return;
	}
	link->pause_usec = RETRY_FIRST_USEC;
	enter(link, DNS_LINK_SET, NULL);
}

static int on_read(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct dns_link *link = userdata;
	struct resolved_link is = {};
	int r;

	link->other = sd_bus_slot_unref(link->other);
	if (link->again) {
		link->again = false;
		look_in(link, 0);
		return 0;
	}
	if (sd_bus_message_is_method_error(reply, NULL)) {
		fail(link, sd_bus_message_get_error(reply), 0);
		return 0;
	}
	r = resolved_parse_link(reply, &is);
	if (r < 0) {
		fail(link, NULL, r);
		return 0;
	}
	compare_and_set(link, &is);
	resolved_link_clear(&is);
	return 0;
}

static int on_kick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dns_link *link = userdata;
	int r;

	if (link->port == 0 || busy(link))
		return 0;
	link->again = false;
	r = resolved_read_link(link->bus, link->ifindex, on_read, link, &link->other);
	if (r < 0)
		fail(link, NULL, r);
	return 0;
}

static int on_flushed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct dns_link *link = userdata;

	link->other = sd_bus_slot_unref(link->other);
	if (link->port != 0)
		look_in(link, 0); /* wanted again meanwhile */
	else
		enter(link, DNS_LINK_REVERTED, NULL);
	return 0;
}

/* Whatever the reply: where resolved or the link is gone, so are the settings. */
static int on_reverted(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct dns_link *link = userdata;

	link->other = sd_bus_slot_unref(link->other);
	if (resolved_flush_caches(link->bus, on_flushed, link, &link->other) < 0)
		enter(link, DNS_LINK_REVERTED, NULL);
	return 0;
}

static int to_link_domains(char *const *domains, struct link_domains *ret, bool *ret_all)
{
	/* Reverse names of the networks that other links are in go to those links as well, unless
	 * something longer than the root asks for them. */
	static const char *const everything[] = {".", "in-addr.arpa", "ip6.arpa"};
	bool all = false;
	int r = 0;

	for (size_t i = 0; domains[i]; i++)
		all = all || strcmp(domains[i], ".") == 0;
	for (size_t i = 0; all && i < ELEMENTS(everything) && r >= 0; i++)
		r = link_domains_add(ret, everything[i], true);
	for (size_t i = 0; !all && domains[i] && r >= 0; i++)
		r = link_domains_add(ret, domains[i], true);
	*ret_all = all;
	return r;
}

int dns_link_set(struct dns_link *link, const struct dns_link_settings *settings)
{
	cleanup(link_domains_clear) struct link_domains wanted = {};
	cleanup_list char **insecure = NULL;
	bool all;
	int r;

	r = to_link_domains(settings->domains, &wanted, &all);
	if (r >= 0)
		r = list_copy(settings->insecure, &insecure);
	if (r < 0)
		return r;
	if (link->port == settings->port && link_domains_equal(&wanted, &link->domains) &&
		link->validate == settings->validate && list_equal(insecure, link->insecure))
		return 0;
	link_domains_clear(&link->domains);
	link->domains = wanted;
	memset(&wanted, 0, sizeof(wanted));
	link->default_route = all;
	link->port = settings->port;
	link->validate = settings->validate;
	list_free(link->insecure);
	link->insecure = steal(insecure);
	link->rounds = 0;
	link->pause_usec = RETRY_FIRST_USEC;
	enter(link, DNS_LINK_APPLYING, NULL);
	dns_link_check(link);
	return 0;
}

void dns_link_check(struct dns_link *link)
{
	if (link->port == 0)
		return;
	if (busy(link))
		link->again = true;
	else
		look_in(link, 0);
}

void dns_link_lost(struct dns_link *link)
{
	if (link->port == 0)
		return;
	link->pause_usec = RETRY_MOST_USEC;
	wait_and_retry(link, "systemd-resolved is not on the system bus");
	link->pause_usec = RETRY_FIRST_USEC;
}

void dns_link_found(struct dns_link *link)
{
	if (link->port == 0)
		return;
	enter(link, DNS_LINK_APPLYING, NULL);
	dns_link_check(link);
}

void dns_link_revert(struct dns_link *link)
{
	bool was_wanted = link->port != 0;

	forget_calls(link);
	sd_event_source_set_enabled(link->kick, SD_EVENT_OFF);
	link->port = 0;
	link->again = false;
	if (!was_wanted ||
		resolved_revert(link->bus, link->ifindex, on_reverted, link, &link->other) < 0)
		enter(link, DNS_LINK_REVERTED, NULL);
}

enum dns_link_state dns_link_state(const struct dns_link *link)
{
	return link->state;
}

const char *dns_link_reason(const struct dns_link *link)
{
	return link->reason;
}

struct dns_link *dns_link_free(struct dns_link *link)
{
	if (!link)
		return NULL;
	forget_calls(link);
	sd_event_source_disable_unref(link->kick);
	link_domains_clear(&link->domains);
	list_free(link->insecure);
	free(link->reason);
	free(link);
	return NULL;
}

int dns_link_new(
	sd_bus *bus, int ifindex, dns_link_changed_t changed, void *userdata, struct dns_link **ret)
{
	struct dns_link *link;
	int r;

	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->bus = bus;
	link->ifindex = ifindex;
	link->changed = changed;
	link->userdata = userdata;
	link->server.family = AF_INET;
	link->server.in.s_addr = htonl(INADDR_LOOPBACK);
	link->pause_usec = RETRY_FIRST_USEC;
	/* An accuracy of 0 would be sd-event's default, a quarter of a second. */
	r = sd_event_add_time_relative(
		sd_bus_get_event(bus), &link->kick, CLOCK_MONOTONIC, 0, 1, on_kick, link);
	if (r < 0) {
		free(link);
		return r;
	}
	sd_event_source_set_enabled(link->kick, SD_EVENT_OFF);
	*ret = link;
	return 0;
}
