/*
 * systemd-resolved and encdnsd: whether they run, whether programs ask the one, and whether that
 * has been told what the other wants of it.
 */
#include "check.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "bus_message.h"
#include "json_file.h"
#include "resolved.h"
#include "subdomain.h"
#include "util.h"

#define PATIENCE_USEC 5000000

struct answer {
	sd_bus_message *reply; /* NULL: not yet */
};

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct answer *answer = userdata;

	answer->reply = sd_bus_message_ref(reply);
	return 1;
}

/* Waits for the reply of a call that was sent. NULL: it failed, or took too long. */
static sd_bus_message *wait_for(sd_bus *bus, struct answer *answer, int r)
{
	uint64_t patience = PATIENCE_USEC;

	while (r >= 0 && !answer->reply) {
		r = sd_bus_process(bus, NULL);
		if (r == 0) {
			r = sd_bus_wait(bus, patience);
			if (r == 0)
				r = -ETIMEDOUT;
		}
	}
	if (answer->reply && sd_bus_message_is_method_error(answer->reply, NULL))
		answer->reply = sd_bus_message_unref(answer->reply);
	return answer->reply;
}

static bool read_overview(struct check *check, struct resolved_overview *ret)
{
	cleanup(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	cleanup_message sd_bus_message *reply = NULL;
	struct answer answer = {};

	if (!check->bus)
		return false;
	reply = wait_for(
		check->bus, &answer, resolved_read_overview(check->bus, on_answer, &answer, &slot));
	return reply && resolved_parse_overview(reply, ret) >= 0;
}

static bool read_link(struct check *check, int ifindex, struct resolved_link *ret)
{
	cleanup(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	cleanup_message sd_bus_message *reply = NULL;
	struct answer answer = {};

	reply = wait_for(
		check->bus, &answer, resolved_read_link(check->bus, ifindex, on_answer, &answer, &slot));
	return reply && resolved_parse_link(reply, ret) >= 0;
}

void check_helper(struct check *check)
{
	const char *version = json_get_text(check->status, "version");

	if (!check->bus)
		check_broken(check, "systemctl status dbus.service", "there is no system bus");
	else if (!check->status)
		check_broken(check, "systemctl status encdnsd.service; journalctl -u encdnsd.service",
			"encdnsd does not answer: %s", check->status_error ? check->status_error : "no reply");
	else if (!version || strcmp(version, PACKAGE_VERSION) != 0)
		check_warn(check, "systemctl restart encdnsd.service", "encdnsd is %s, encdnsctl is %s",
			version ? version : "of no version", PACKAGE_VERSION);
	else
		check_fine(check, "encdnsd %s runs", version);
}

void check_resolved(struct check *check)
{
	struct resolved_overview overview;

	if (!check->bus)
		return;
	if (!read_overview(check, &overview)) {
		check_broken(check, "systemctl enable --now systemd-resolved.service",
			"systemd-resolved does not answer");
		return;
	}
	resolved_overview_clear(&overview);
	check_fine(check, "systemd-resolved runs");
}

void check_system_resolver(struct check *check)
{
	static const char advice[] =
		"ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf, or "
		"install libnss-resolve";
	json_object *resolved = NULL;
	const char *warning;

	if (!check->status)
		return;
	json_object_object_get_ex(check->status, "resolved", &resolved);
	warning = json_get_text(resolved, "warning");
	if (!json_get_flag(resolved, "fit"))
		check_broken(check, advice, "programs do not ask systemd-resolved: %s",
			json_get_text(resolved, "problem") ? json_get_text(resolved, "problem") : "");
	else if (warning)
		check_warn(check, advice, "%s", warning);
	else
		check_fine(check, "programs ask systemd-resolved");
}

/* ---- of a connection ---- */

static const char *what_is_wrong(
	struct check *check, const struct resolved_link *link, const char *listen)
{
	json_object *domains = json_get_array(check->connection, "domains");
	char text[ADDRESS_TEXT], server[ADDRESS_TEXT + 8];

	if (!link->has_scope)
		return "takes no part in DNS";
	if (link->n_servers != 1)
		return "has not the one DNS server that is encdnsd";
	snprintf(server, sizeof(server), "%s:%u", address_to_text(&link->server, text), link->port);
	if (listen && strcmp(server, listen) != 0)
		return "has another DNS server than encdnsd";
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++) {
		const char *domain = json_object_get_string(json_object_array_get_idx(domains, i));
		bool there = false;

		for (size_t j = 0; j < link->domains.n; j++)
			there = there || subdomain_equal(link->domains.list[j].name, domain);
		if (!there)
			return "lacks domains of the connection";
	}
	if (link->llmnr || link->mdns)
		return "may be asked over LLMNR or mDNS as well";
	return NULL;
}

void check_link(struct check *check)
{
	const char *name = json_get_text(check->connection, "link"), *wrong;
	const char *listen = json_get_text(check->connection, "listen");
	unsigned ifindex = name ? if_nametoindex(name) : 0;
	struct resolved_link link;

	if (!name)
		return;
	if (ifindex == 0) {
		check_broken(
			check, "end the connection and initiate it again", "the link %s is gone", name);
		return;
	}
	if (!read_link(check, (int)ifindex, &link)) {
		check_broken(check, "systemctl status systemd-resolved.service",
			"systemd-resolved does not tell of the link %s", name);
		return;
	}
	wrong = what_is_wrong(check, &link, listen);
	if (wrong)
		check_broken(check, "see who else sets DNS on it: journalctl -u encdnsd.service",
			"the link %s %s", name, wrong);
	else
		check_fine(check, "systemd-resolved has the settings of %s as wanted", name);
	resolved_link_clear(&link);
}

/* Equal or below a domain of the connection: resolved asks that link as well, or instead. */
static bool collides(struct check *check, const char *other)
{
	json_object *domains = json_get_array(check->connection, "domains");

	for (size_t i = 0; domains && i < json_object_array_length(domains); i++) {
		const char *domain = json_object_get_string(json_object_array_get_idx(domains, i));

		if (strcmp(domain, ".") == 0 ? strcmp(other, ".") == 0 : subdomain_of(other, domain))
			return true;
	}
	return false;
}

void check_other_links(struct check *check)
{
	int own = (int)json_get_number(check->connection, "ifindex");
	int guard = (int)json_get_number(check->connection, "guard-ifindex");
	struct resolved_overview overview;
	bool fine = true;

	if (!check->bus || !read_overview(check, &overview))
		return;
	for (size_t i = 0; i < overview.n_domains; i++) {
		const struct overview_domain *domain = &overview.domains[i];
		char name[IF_NAMESIZE] = "";

		if (domain->ifindex == own || domain->ifindex == guard ||
			!collides(check, domain->domain.name))
			continue;
		if (domain->ifindex == 0)
			snprintf(name, sizeof(name), "resolved.conf");
		else if (!if_indextoname((unsigned)domain->ifindex, name))
			continue;
		fine = false;
		check_broken(check, "take the domain off that link: resolvectl domain LINK ''",
			"%s claims %s too, and its DNS servers are asked for names in it", name,
			domain->domain.name);
	}
	if (fine)
		check_fine(check, "no other link claims its domains");
	resolved_overview_clear(&overview);
}
