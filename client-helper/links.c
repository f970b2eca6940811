#include "links.h"

#include <errno.h>
#include <string.h>
#include "links_file.h"
#include "resolved.h"
#include "subdomain.h"
#include "util.h"

#define LOOPBACK_IFINDEX 1

/* networkd's changes reach resolved through a file that it watches. */
#define NETWORKD_PAUSE_USEC (100 * UINT64_C(1000))

struct links {
	sd_bus *bus;
	char *path;
	links_changed_t changed;
	void *userdata;
	char **protected;
	int *own;
	size_t n_own;
	struct other_link **list;
	size_t n;
	char **global; /* domains of resolved's own configuration, where that has servers */
	sd_bus_slot *read;
	sd_event_source *kick;
	bool stale; /* what resolved said last is not what counts now */
};

static bool is_own(const struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n_own; i++)
		if (links->own[i] == ifindex)
			return true;
	return false;
}

static void look_in(struct links *links, uint64_t usec)
{
	sd_event_source_set_time_relative(links->kick, usec);
	sd_event_source_set_enabled(links->kick, SD_EVENT_ONESHOT);
}

static void save(struct links *links)
{
	if (links->path)
		links_file_save(links->path, links->list, links->n);
}

static void drop(struct links *links, size_t index)
{
	other_link_free(links->list[index]);
	links->list[index] = links->list[--links->n];
}

static int find(struct links *links, int ifindex, struct other_link **ret)
{
	struct other_link *other, **grown;

	for (size_t i = 0; i < links->n; i++)
		if (links->list[i]->ifindex == ifindex) {
			*ret = links->list[i];
			return 0;
		}
	grown = reallocarray(links->list, links->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	links->list = grown;
	other = calloc(1, sizeof(*other));
	if (!other)
		return -ENOMEM;
	other->links = links;
	other->ifindex = ifindex;
	grown[links->n++] = other;
	*ret = other;
	return 0;
}

/*
 * Whether the link (0: resolved's own configuration) has a server to be asked. resolved says of
 * every server on a loopback address that it is lo's; those that are not ours may be anybody's.
 */
static bool has_server(
	const struct links *links, const struct resolved_overview *overview, int ifindex)
{
	size_t loopback = 0;

	for (size_t i = 0; i < overview->n_servers; i++) {
		if (overview->servers[i] == ifindex)
			return true;
		loopback += overview->servers[i] == LOOPBACK_IFINDEX;
	}
	return loopback > links->n_own;
}

/* What no link has and so cannot be taken off. */
static int find_global(struct links *links, const struct resolved_overview *overview)
{
	bool servers = has_server(links, overview, 0);
	int r = 0;

	links->global = list_free(links->global);
	for (size_t i = 0; servers && i < overview->n_domains && r >= 0; i++)
		if (overview->domains[i].ifindex == 0)
			r = list_add(&links->global, overview->domains[i].domain.name);
	return r;
}

static int take_in(struct links *links, const struct resolved_overview *overview)
{
	struct other_link *other;
	int r;

	for (size_t i = 0; i < links->n; i++) {
		link_domains_clear(&links->list[i]->current);
	}
	for (size_t i = 0; i < overview->n_domains; i++) {
		const struct overview_domain *domain = &overview->domains[i];

		if (domain->ifindex == 0 || is_own(links, domain->ifindex))
			continue;
		r = find(links, domain->ifindex, &other);
		if (r >= 0)
			r = link_domains_add(&other->current, domain->domain.name, domain->domain.route_only);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < links->n; i++)
		links->list[i]->has_servers = has_server(links, overview, links->list[i]->ifindex);
	return 0;
}

static int judge(struct links *links)
{
	int r;

	for (size_t i = links->n; i-- > 0;) {
		struct other_link *other = links->list[i];

		if (is_own(links, other->ifindex) || !if_indextoname(other->ifindex, other->name)) {
			drop(links, i);
			continue;
		}
		r = other_link_judge(other, links->protected);
		if (r < 0)
			return r;
		if (!other->taken && !other->told)
			drop(links, i);
	}
	return 0;
}

static int on_step(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct other_link *other = userdata;
	struct links *links = other->links;
	bool gone;

	other_link_finish(other, reply, &gone);
	if (gone)
		other->taken = other->told = false; /* dropped by the next judgement */
	if (other->step == OTHER_IDLE && !other->failure)
		links->stale = true;
	look_in(links, other->step == OTHER_IDLE && other->networkd ? NETWORKD_PAUSE_USEC : 0);
	return 0;
}

/* Whether some link has a call under way. */
static bool start_steps(struct links *links)
{
	bool any = false;
	int r;

	for (size_t i = 0; i < links->n; i++) {
		struct other_link *other = links->list[i];

		if (other->step == OTHER_IDLE)
			continue;
		if (!other->call) {
			r = other_link_start(other, links->bus, on_step);
			if (r < 0) {
				set_text(&other->failure, "%s", strerror(-r));
				other->step = OTHER_IDLE;
				continue;
			}
		}
		any = true;
	}
	return any;
}

static int on_overview(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct links *links = userdata;
	struct resolved_overview overview = {};
	int r;

	links->read = sd_bus_slot_unref(links->read);
	/* Without resolved nobody is asked at all; its return brings the next check. */
	if (sd_bus_message_is_method_error(reply, NULL) ||
		resolved_parse_overview(reply, &overview) < 0) {
		links->stale = false;
		links->changed(links, links->userdata);
		return 0;
	}
	r = take_in(links, &overview);
	if (r >= 0)
		r = judge(links);
	if (r >= 0)
		r = find_global(links, &overview);
	resolved_overview_clear(&overview);
	save(links);
	if (r >= 0)
		start_steps(links);
	else
		links->stale = true;
	/* Asked again while the answer was on its way; and short of memory, not at once. */
	if (links->stale)
		look_in(links, r >= 0 ? 0 : NETWORKD_PAUSE_USEC);
	links->changed(links, links->userdata);
	return 0;
}

static int on_kick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct links *links = userdata;

	if (start_steps(links) || links->read)
		return 0;
	if (!links->stale) {
		links->changed(links, links->userdata);
		return 0;
	}
	links->stale = false;
	if (resolved_read_overview(links->bus, on_overview, links, &links->read) < 0)
		links->stale = true;
	return 0;
}

int links_protect(struct links *links, char *const *domains, const int *own, size_t n_own)
{
	cleanup_list char **copy = NULL;
	int *own_copy, r;

	if (list_equal(domains, links->protected) && n_own == links->n_own &&
		(n_own == 0 || memcmp(own, links->own, n_own * sizeof(*own)) == 0))
		return 0;
	r = list_copy(domains, &copy);
	if (r < 0)
		return r;
	own_copy = calloc(n_own ? n_own : 1, sizeof(*own));
	if (!own_copy)
		return -ENOMEM;
	if (n_own > 0)
		memcpy(own_copy, own, n_own * sizeof(*own));
	list_free(links->protected);
	free(links->own);
	links->protected = steal(copy);
	links->own = own_copy;
	links->n_own = n_own;
	links_check(links);
	return 0;
}

void links_check(struct links *links)
{
	if (!links->protected && links->n == 0)
		return;
	links->stale = true;
	look_in(links, 0);
}

bool links_settled(const struct links *links)
{
	if (links->read || links->stale)
		return false;
	for (size_t i = 0; i < links->n; i++)
		if (links->list[i]->step != OTHER_IDLE)
			return false;
	return true;
}

/* Which of the link's domains are claims that stand, though they should not. */
static const char *standing_claim(const struct other_link *other, char *const *domains)
{
	if (!other->failure || !other->has_servers)
		return NULL;
	for (size_t i = 0; i < other->current.n; i++)
		if (subdomain_of_any(other->current.list[i].name, domains))
			return other->current.list[i].name;
	return NULL;
}

int links_leak(const struct links *links, char *const *domains, char **ret)
{
	for (size_t i = 0; links->global && links->global[i]; i++)
		if (subdomain_of_any(links->global[i], domains))
			return format(ret, "systemd-resolved's own configuration claims %s", links->global[i]);
	for (size_t i = 0; i < links->n; i++) {
		const struct other_link *other = links->list[i];
		const char *claim = standing_claim(other, domains);

		if (claim)
			return format(ret, "%s claims %s, and it cannot be taken off it: %s", other->name,
				claim, other->failure);
	}
	*ret = NULL;
	return 0;
}

size_t links_n(const struct links *links)
{
	return links->n;
}

const struct other_link *links_at(const struct links *links, size_t index)
{
	return links->list[index];
}

struct links *links_free(struct links *links)
{
	if (!links)
		return NULL;
	sd_bus_slot_unref(links->read);
	sd_event_source_disable_unref(links->kick);
	while (links->n > 0)
		drop(links, links->n - 1);
	free(links->list);
	list_free(links->global);
	list_free(links->protected);
	free(links->own);
	free(links->path);
	free(links);
	return NULL;
}

int links_new(
	sd_bus *bus, const char *path, links_changed_t changed, void *userdata, struct links **ret)
{
	struct links *links;
	int r;

	links = calloc(1, sizeof(*links));
	if (!links)
		return -ENOMEM;
	links->bus = bus;
	links->changed = changed;
	links->userdata = userdata;
	/* An accuracy of 0 would be sd-event's default, a quarter of a second. */
	r = sd_event_add_time_relative(
		sd_bus_get_event(bus), &links->kick, CLOCK_MONOTONIC, 0, 1, on_kick, links);
	if (r >= 0)
		r = sd_event_source_set_enabled(links->kick, SD_EVENT_OFF);
	if (r >= 0 && path) {
		links->path = strdup(path);
		r = links->path ? links_file_load(path, &links->list, &links->n) : -ENOMEM;
		for (size_t i = 0; i < links->n; i++)
			links->list[i]->links = links;
	}
	if (r < 0) {
		links_free(links);
		return r;
	}
	links_check(links);
	*ret = links;
	return 0;
}
