#include "manager.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "bounds.h"
#include "bus_message.h"
#include "journal.h"
#include "log.h"
#include "resolved.h"
#include "restore.h"
#include "util.h"
#include "watch.h"

#define ERROR_NO_SUCH_CONNECTION "org.strongswan.EncDns1.NoSuchConnection"
#define ERROR_NO_SUCH_LINK "org.strongswan.EncDns1.NoSuchLink"
#define ERROR_IN_USE "org.strongswan.EncDns1.InUse"
#define ERROR_NOTHING_TO_BLOCK "org.strongswan.EncDns1.NothingToBlock"

#define RESOLVED_OWNER                                                                             \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"                    \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" RESOLVED_NAME "'"

/* What the name of a guard has more than that of its link. */
#define GUARD "g"

/* Longest that a link may be on its way. */
#define LINK_PAUSE_USEC UINT64_C(1000000)

/* A connection, and who speaks for it on the bus. */
struct entry {
	struct manager *manager;
	struct connection *connection;
	sd_bus_track *owner;     /* who applied it; NULL after a restart of ours */
	sd_bus_message *waiting; /* Remove or Release to be answered when it is gone */
	bool releasing;
	uint64_t asked_usec; /* when a link was asked for that has not come yet; 0: never */
	struct journal journal;
};

struct manager {
	sd_bus *bus;
	char *folder;
	char *blocks; /* path of the file of what survives a reboot */
	bool blocks_saved;
	bool nss_module;
	const struct manager_events *events;
	void *userdata;
	struct entry **entries;
	size_t n;
	struct links *links;
	struct anchors *anchors;
	struct watch *watch;
	struct fitness fitness;
	struct announcement *announcement;
	char **ended;          /* connections that came to their end since then */
	sd_bus_track *charons; /* who has announced itself */
	char *described;       /* the status as last told */
	sd_bus_slot *owner_match;
	sd_event_source *settle; /* one look at everything, after all that happened at once */
};

static void settle_soon(struct manager *manager)
{
	sd_event_source_set_enabled(manager->settle, SD_EVENT_ONESHOT);
}

static void on_connection(struct connection *connection, void *userdata)
{
	settle_soon(userdata);
}

static void on_anchors(struct anchors *anchors, void *userdata)
{
	settle_soon(userdata);
}

static void on_links(struct links *links, void *userdata)
{
	settle_soon(userdata);
}

static struct entry *entry_free(struct entry *entry)
{
	sd_bus_track_unref(entry->owner);
	sd_bus_message_unref(entry->waiting);
	connection_free(entry->connection);
	journal_clear(&entry->journal);
	free(entry);
	return NULL;
}

static struct entry *find(const struct manager *manager, const char *name)
{
	for (size_t i = 0; i < manager->n; i++)
		if (strcmp(connection_name(manager->entries[i]->connection), name) == 0)
			return manager->entries[i];
	return NULL;
}

static int add(struct manager *manager, struct connection *connection, struct entry **ret)
{
	struct entry *entry, **grown;

	grown = reallocarray(manager->entries, manager->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	manager->entries = grown;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->manager = manager;
	entry->connection = connection;
	grown[manager->n++] = entry;
	watch_enable(manager->watch, true);
	if (ret)
		*ret = entry;
	return 0;
}

/* Connections must be told apart by name here, so the order of the others may stay. */
static void drop(struct manager *manager, size_t index)
{
	entry_free(manager->entries[index]);
	manager->n--;
	memmove(&manager->entries[index], &manager->entries[index + 1],
		(manager->n - index) * sizeof(*manager->entries));
}

static void read_fitness(struct manager *manager)
{
	struct fitness fitness;

	if (fitness_read("/etc/resolv.conf", "/etc/nsswitch.conf", manager->nss_module, &fitness) < 0)
		return;
	fitness_clear(&manager->fitness);
	manager->fitness = fitness;
}

static bool is_link(const char *link, int ifindex)
{
	char name[IF_NAMESIZE];

	return link && if_indextoname(ifindex, name) && strcmp(name, link) == 0;
}

/*
 * Every moment without a link counts, but the way to another one is full of news of links: while
 * that is under way, they are not asked for again.
 */
static void want_link(struct entry *entry)
{
	struct manager *manager = entry->manager;
	uint64_t now = 0;

	if (!connection_wants_link(entry->connection))
		return;
	(void)!sd_event_now(sd_bus_get_event(manager->bus), CLOCK_MONOTONIC, &now);
	if (entry->asked_usec != 0 && now < entry->asked_usec + LINK_PAUSE_USEC)
		return;
	entry->asked_usec = now;
	manager->events->link_wanted(connection_name(entry->connection),
		sd_bus_track_first(entry->owner ? entry->owner : manager->charons), manager->userdata);
}

static void check_link(struct entry *entry)
{
	struct connection *connection = entry->connection;
	const char *link = connection_link(connection);

	if (connection_phase(connection) <= CONNECTION_BLOCKED && connection_ifindex(connection) > 0 &&
		!is_link(link, connection_ifindex(connection))) {
		log_line(SD_WARNING, "%s: its link %s was deleted", connection_name(connection), link);
		connection_link_gone(connection);
		entry->asked_usec = 0;
	}
}

/* The guard is not told of: it comes when all else is done, under a name that is known. */
static void check_guard(struct entry *entry)
{
	struct connection *connection = entry->connection;
	const char *link = connection_link(connection);
	int before = connection_guard(connection), r;
	char name[IF_NAMESIZE + sizeof(GUARD)];

	if (!link)
		return;
	snprintf(name, sizeof(name), "%s" GUARD, link);
	r = connection_set_guard(connection, (int)if_nametoindex(name));
	if (r < 0)
		log_line(SD_WARNING, "%s: its link %s is not set up: %s", connection_name(connection), name,
			strerror(-r));
	if (before > 0 && connection_guard(connection) == 0) {
		log_line(SD_WARNING, "%s: its link %s was deleted", connection_name(connection), name);
		entry->asked_usec = 0;
	}
}

static void check_all(void *userdata)
{
	struct manager *manager = userdata;

	for (size_t i = 0; i < manager->n; i++) {
		check_link(manager->entries[i]);
		connection_check(manager->entries[i]->connection);
	}
	read_fitness(manager);
	links_check(manager->links);
	anchors_check(manager->anchors);
	settle_soon(manager);
}

static int on_resolved_owner(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	const char *name, *before, *after;
	struct manager *manager = userdata;
	int r;

	r = sd_bus_message_read(message, "sss", &name, &before, &after);
	if (r < 0)
		return r;
	if (*after) {
		watch_enable(manager->watch, manager->n > 0);
		check_all(manager);
		for (size_t i = 0; i < manager->n; i++)
			connection_resolved_found(manager->entries[i]->connection);
		return 0;
	}
	for (size_t i = 0; i < manager->n; i++)
		connection_resolved_lost(manager->entries[i]->connection);
	return 0;
}

static int on_owner_gone(sd_bus_track *track, void *userdata)
{
	struct entry *entry = userdata;

	entry->owner = sd_bus_track_unref(entry->owner);
	if (connection_phase(entry->connection) == CONNECTION_UP)
		connection_block(entry->connection, "strongSwan went away without a word");
	return 0;
}

static int watch_owner(struct entry *entry, sd_bus_message *message)
{
	sd_bus_track *track = NULL;
	int r;

	r = sd_bus_track_new(sd_bus_message_get_bus(message), &track, on_owner_gone, entry);
	if (r >= 0)
		r = sd_bus_track_add_sender(track, message);
	if (r < 0) {
		sd_bus_track_unref(track);
		return r;
	}
	sd_bus_track_unref(entry->owner);
	entry->owner = track;
	return 0;
}

static void answer(struct entry *entry, bool keep_link)
{
	sd_bus_message *message = steal(entry->waiting);

	if (!message)
		return;
	if (entry->releasing)
		sd_bus_reply_method_return(message, NULL);
	else
		sd_bus_reply_method_return(message, "b", (int)keep_link);
	sd_bus_message_unref(message);
}

/* Domains of all connections are kept from all links but theirs. */
static int protect(struct manager *manager)
{
	cleanup_list char **domains = NULL;
	int own[2 * LIMIT_CONNECTIONS], r = 0;
	size_t n = 0;

	for (size_t i = 0; i < manager->n; i++) {
		const struct connection *connection = manager->entries[i]->connection;
		char *const *theirs = connection_domains(connection);

		/* One that is leaving protects nothing, but its link is still no stranger's. */
		if (connection_ifindex(connection) > 0)
			own[n++] = connection_ifindex(connection);
		if (connection_guard(connection) > 0)
			own[n++] = connection_guard(connection);
		for (size_t j = 0; theirs && theirs[j] && r >= 0; j++)
			r = list_add(&domains, theirs[j]);
	}
	return r < 0 ? r : links_protect(manager->links, domains, own, n);
}

/* The anchors of all connections are one file; each connection learns whether its own are read. */
static int anchor(struct manager *manager)
{
	cleanup_list char **lines = NULL;
	int r = 0;

	for (size_t i = 0; i < manager->n; i++) {
		char *const *theirs = connection_anchors(manager->entries[i]->connection);

		for (size_t j = 0; theirs && theirs[j] && r >= 0; j++)
			r = list_add(&lines, theirs[j]);
	}
	if (r >= 0)
		r = anchors_want(manager->anchors, lines);
	for (size_t i = 0; i < manager->n && r >= 0; i++) {
		struct connection *connection = manager->entries[i]->connection;

		connection_set_anchored(
			connection, anchors_in_force(manager->anchors, connection_anchors(connection)));
	}
	return r;
}

static void finish_gone(struct manager *manager)
{
	for (size_t i = manager->n; i-- > 0;) {
		struct entry *entry = manager->entries[i];
		const struct connection *connection = entry->connection;

		if (connection_phase(connection) != CONNECTION_GONE)
			continue;
		answer(entry, false);
		log_line(SD_NOTICE, "%s: down", connection_name(connection));
		if (!list_has(manager->ended, connection_name(connection)))
			(void)!list_add(&manager->ended, connection_name(connection));
		if (entry->releasing)
			manager->events->released(
				connection_name(connection), connection_link(connection), manager->userdata);
		drop(manager, i);
	}
}

int manager_describe(const struct manager *manager, bool counters, char **ret)
{
	const struct connection *connections[LIMIT_CONNECTIONS];
	struct status_input input = {
		.connections = connections,
		.n_connections = manager->n,
		.links = manager->links,
		.anchors = manager->anchors,
		.fitness = &manager->fitness,
		.announcement = manager->announcement,
	};

	for (size_t i = 0; i < manager->n; i++)
		connections[i] = manager->entries[i]->connection;
	return status_describe(&input, counters, ret);
}

/* What all connections but one hold (I28). list: LIMIT_CONNECTIONS. */
static struct claims claims_of_others(
	const struct manager *manager, const struct connection *except, struct claim *list)
{
	struct claims claims = {.list = list};

	for (size_t i = 0; i < manager->n; i++)
		if (manager->entries[i]->connection != except)
			list[claims.n++] = connection_claim(manager->entries[i]->connection);
	return claims;
}

/* Who waits for a domain that was released gets it; who is up the longest comes first. */
static void grant_waiting(struct manager *manager)
{
	struct claim list[LIMIT_CONNECTIONS];

	for (size_t i = 0; i < manager->n; i++) {
		struct connection *connection = manager->entries[i]->connection;
		struct claims claims = claims_of_others(manager, connection, list);

		connection_claim_again(connection, &claims);
	}
}

/* Whatever changes here changes the status, too. */
static void save_blocks(struct manager *manager)
{
	struct saved_connection list[LIMIT_CONNECTIONS];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < manager->n; i++) {
		const struct connection *connection = manager->entries[i]->connection;

		list[n] = connection_saved(connection);
		if (list[n].block && list[n].domains && connection_phase(connection) <= CONNECTION_BLOCKED)
			n++;
	}
	r = blocks_file_save(manager->blocks, list, n);
	if (r < 0)
		log_line(SD_WARNING, "what is to survive a reboot cannot be saved: %s", strerror(-r));
	manager->blocks_saved = r >= 0;
}

static int on_settle(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	cleanup_free char *description = NULL;
	bool same;

	/* What is left undone here for want of memory is done at the next look, ten seconds on. */
	for (size_t i = 0; i < manager->n; i++) {
		check_guard(manager->entries[i]);
		want_link(manager->entries[i]);
	}
	protect(manager);
	if (links_settled(manager->links))
		finish_gone(manager);
	grant_waiting(manager);
	anchor(manager);
	for (size_t i = 0; i < manager->n; i++)
		journal_connection(&manager->entries[i]->journal, manager->entries[i]->connection,
			manager->links, manager->anchors, &manager->fitness);
	watch_enable(manager->watch, manager->n > 0 || links_n(manager->links) > 0);
	if (manager_describe(manager, false, &description) < 0)
		return 0;
	same = manager->described && strcmp(manager->described, description) == 0;
	if (manager->blocks && !(same && manager->blocks_saved))
		save_blocks(manager);
	if (same)
		return 0;
	free(manager->described);
	manager->described = steal(description);
	manager->events->changed(manager->userdata);
	return 0;
}

/*
 * The plugin owns the links: where it gives one to another connection, the one that had it has none
 * any more.
 */
static int free_the_link(
	struct manager *manager, const char *link, const char *name, sd_bus_error *error)
{
	for (size_t i = manager->n; i-- > 0;) {
		struct connection *holder = manager->entries[i]->connection;

		if (!connection_link(holder) || strcmp(connection_link(holder), link) != 0 ||
			strcmp(connection_name(holder), name) == 0)
			continue;
		if (connection_ifindex(holder) == 0) {
			connection_link_taken(holder);
			continue;
		}
		if (connection_phase(holder) == CONNECTION_UP)
			return sd_bus_error_setf(
				error, ERROR_IN_USE, "%s is the link of %s", link, connection_name(holder));
		log_line(SD_NOTICE, "%s: its link now belongs to %s", connection_name(holder), name);
		answer(manager->entries[i], false);
		drop(manager, i);
	}
	return 0;
}

static int take_link(
	struct manager *manager, const char *link, int ifindex, const char *name, sd_bus_error *error)
{
	if (!is_link(link, ifindex))
		return sd_bus_error_setf(
			error, ERROR_NO_SUCH_LINK, "there is no link %s with index %d", link, ifindex);
	return free_the_link(manager, link, name, error);
}

static int get_or_add(
	struct manager *manager, const char *name, struct entry **ret, sd_bus_error *error)
{
	struct surroundings surroundings = {
		.bus = manager->bus,
		.folder = manager->folder,
		.changed = on_connection,
		.userdata = manager,
	};
	struct connection *connection;
	int r;

	*ret = find(manager, name);
	if (*ret)
		return 0;
	if (manager->n >= LIMIT_CONNECTIONS)
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"%s: there are %d connections already", name, LIMIT_CONNECTIONS);
	r = connection_new(&surroundings, name, &connection);
	if (r < 0)
		return r;
	r = add(manager, connection, ret);
	if (r < 0)
		connection_free(connection);
	return r;
}

int manager_apply(
	struct manager *manager, sd_bus_message *message, struct request *request, sd_bus_error *error)
{
	struct claim list[LIMIT_CONNECTIONS];
	struct claims claims;
	struct entry *entry;
	int r;

	r = take_link(manager, request->link, request->ifindex, request->connection, error);
	if (r >= 0)
		r = get_or_add(manager, request->connection, &entry, error);
	if (r >= 0)
		r = watch_owner(entry, message);
	if (r < 0)
		return r;
	claims = claims_of_others(manager, entry->connection, list);
	r = connection_apply(entry->connection, request, &claims);
	if (r < 0)
		return r;
	/* It came back while it was being taken down: what waited for that has no link to remove. */
	answer(entry, true);
	entry->releasing = false;
	read_fitness(manager);
	settle_soon(manager);
	return 0;
}

/* Who has a link, or needs none, has been faster. */
int manager_adopt(
	struct manager *manager, const char *name, const char *link, int ifindex, sd_bus_error *error)
{
	struct entry *entry = find(manager, name);
	int r;

	if (!entry || !connection_wants_link(entry->connection))
		return 0;
	r = take_link(manager, link, ifindex, name, error);
	if (r >= 0)
		r = connection_adopt(entry->connection, link, ifindex);
	/* Deleted meanwhile: another one, then. */
	entry->asked_usec = 0;
	settle_soon(manager);
	return r;
}

static void wait_until_gone(struct entry *entry, sd_bus_message *message, bool releasing)
{
	answer(entry, false);
	entry->waiting = sd_bus_message_ref(message);
	entry->releasing = releasing;
	entry->owner = sd_bus_track_unref(entry->owner);
}

int manager_remove(struct manager *manager, sd_bus_message *message, const char *name, bool orderly,
	sd_bus_error *error)
{
	struct entry *entry = find(manager, name);

	if (!entry)
		return sd_bus_reply_method_return(message, "b", 0);
	if (orderly && !connection_blocks(entry->connection)) {
		wait_until_gone(entry, message, false);
		connection_leave(entry->connection);
		return 0;
	}
	if (connection_block(entry->connection,
			orderly ? "disconnected, with on-disconnect = block" : "the connection was lost"))
		return sd_bus_reply_method_return(message, "b", 1);
	wait_until_gone(entry, message, false);
	return 0;
}

static int no_such_connection(sd_bus_error *error)
{
	return sd_bus_error_set(error, ERROR_NO_SUCH_CONNECTION, "there is no connection of that name");
}

int manager_block(struct manager *manager, const char *name, sd_bus_error *error)
{
	struct entry *entry = find(manager, name);
	int r;

	if (!entry)
		return no_such_connection(error);
	r = connection_hold(entry->connection);
	return r == -ENODATA
			   ? sd_bus_error_setf(error, ERROR_NOTHING_TO_BLOCK, "%s has no domains", name)
			   : r;
}

int manager_release(
	struct manager *manager, sd_bus_message *message, const char *name, sd_bus_error *error)
{
	struct entry *entry = find(manager, name);
	int r;

	if (!entry)
		return no_such_connection(error);
	if (connection_held(entry->connection)) {
		r = connection_resume(entry->connection);
		return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
	}
	if (connection_phase(entry->connection) == CONNECTION_UP)
		return sd_bus_error_setf(error, ERROR_IN_USE, "%s is up; disconnect it instead", name);
	wait_until_gone(entry, message, true);
	connection_leave(entry->connection);
	return 0;
}

/*
 * What an earlier charon left behind, as it ended before it could remove a link that was needed no
 * more. One that we know nothing of stays: its names may be kept from the hotel by it.
 */
static void release_ended(struct manager *manager, char *const *links)
{
	for (size_t i = 0; links && links[i]; i += 2)
		if (!find(manager, links[i + 1]) && list_has(manager->ended, links[i + 1]))
			manager->events->released(links[i + 1], links[i], manager->userdata);
	manager->ended = list_free(manager->ended);
}

void manager_announce(
	struct manager *manager, sd_bus_message *message, struct announcement *announcement)
{
	(void)!sd_bus_track_add_sender(manager->charons, message);
	release_ended(manager, announcement->links);
	if (!manager->announcement)
		manager->announcement = calloc(1, sizeof(*manager->announcement));
	if (!manager->announcement)
		return;
	announcement_clear(manager->announcement);
	*manager->announcement = *announcement;
	memset(announcement, 0, sizeof(*announcement));
	for (size_t i = 0; i < manager->n; i++)
		manager->entries[i]->asked_usec = 0;
	settle_soon(manager);
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	sd_event_source_disable_unref(manager->settle);
	sd_bus_slot_unref(manager->owner_match);
	sd_bus_track_unref(manager->charons);
	while (manager->n > 0)
		drop(manager, manager->n - 1);
	free(manager->entries);
	links_free(manager->links);
	anchors_free(manager->anchors);
	watch_free(manager->watch);
	fitness_clear(&manager->fitness);
	if (manager->announcement)
		announcement_clear(manager->announcement);
	free(manager->announcement);
	list_free(manager->ended);
	free(manager->described);
	free(manager->folder);
	free(manager->blocks);
	free(manager);
	return NULL;
}

static void on_saved(
	const struct saved_connection *saved, struct stored_sockets *sockets, void *userdata)
{
	struct manager *manager = userdata;
	struct surroundings surroundings = {
		.bus = manager->bus,
		.folder = manager->folder,
		.changed = on_connection,
		.userdata = manager,
	};
	struct connection *connection;
	int r;

	if (find(manager, saved->connection) || manager->n >= LIMIT_CONNECTIONS)
		return;
	r = connection_restore(&surroundings, saved, sockets, &connection);
	if (r >= 0) {
		r = add(manager, connection, NULL);
		if (r < 0)
			connection_free(connection);
	}
	if (r < 0)
		log_line(SD_ERR, "%s: cannot be blocked as before: %s", saved->connection, strerror(-r));
}

static int start(struct manager *manager, const char *folder, const char *state)
{
	sd_event *event = sd_bus_get_event(manager->bus);
	cleanup_free char *path = NULL, *pending = NULL;
	int r;

	manager->nss_module = fitness_nss_module();
	r = sd_event_add_defer(event, &manager->settle, on_settle, manager);
	if (r >= 0)
		r = sd_bus_track_new(manager->bus, &manager->charons, NULL, NULL);
	if (r >= 0)
		r = watch_new(event, check_all, manager, &manager->watch);
	if (r >= 0)
		r = sd_bus_add_match_async(
			manager->bus, &manager->owner_match, RESOLVED_OWNER, on_resolved_owner, NULL, manager);
	if (r >= 0 && folder)
		r = format(&manager->folder, "%s", folder);
	if (r >= 0 && folder)
		r = format(&path, "%s/other-links.json", folder);
	if (r >= 0)
		r = links_new(manager->bus, path, on_links, manager, &manager->links);
	if (r >= 0 && folder)
		r = format(&pending, "%s/trust-anchors.pending", folder);
	if (r >= 0)
		r = anchors_new(
			manager->bus, ANCHORS_FILE, pending, on_anchors, manager, &manager->anchors);
	if (r >= 0 && folder)
		r = restore_running(folder, on_saved, manager);
	if (r >= 0 && state)
		r = format(&manager->blocks, "%s/blocks.json", state);
	if (r >= 0 && state)
		r = restore_blocks(manager->blocks, on_saved, manager);
	if (r >= 0)
		check_all(manager);
	return r;
}

int manager_new(sd_bus *bus, const char *runtime, const char *state,
	const struct manager_events *events, void *userdata, struct manager **ret)
{
	struct manager *manager;
	int r;

	manager = calloc(1, sizeof(*manager));
	if (!manager)
		return -ENOMEM;
	manager->bus = bus;
	manager->events = events;
	manager->userdata = userdata;
	r = start(manager, runtime, state);
	if (r < 0) {
		manager_free(manager);
		return r;
	}
	*ret = manager;
	return 0;
}
