#include "encdns_bus.h"
#include "encdns_apply.h"
#include "encdns_backoff.h"
#include "encdns_helper.h"
#include "encdns_link.h"

#include <threading/mutex.h>
#include <threading/thread.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/eventfd.h>

/** Longest that the end of the daemon waits for us, ms */
#define DRAIN_TIMEOUT 3000

typedef struct private_encdns_bus_t private_encdns_bus_t;

/**
 * What was done for a connection.
 */
typedef struct {
	private_encdns_bus_t *this;
	char *name;
	/** generation of the wish that was carried out last */
	u_int generation;
	/** that wish is fulfilled */
	bool settled;
	/** encdnsd may have been told about the connection */
	bool told;
	/** somebody was told that encdnsd is not there */
	bool complained;
	/** the link, no name if there is none */
	encdns_link_t link;
	/** call under way */
	sd_bus_slot *call;
} entry_t;

/**
 * Private data of an encdns_bus_t object.
 */
struct private_encdns_bus_t {

	/**
	 * Public interface
	 */
	encdns_bus_t public;

	/**
	 * Has the wishes
	 */
	encdns_connections_t *connections;

	/**
	 * The thread
	 */
	thread_t *thread;

	/**
	 * Wakes the thread
	 */
	int event;

	/**
	 * The thread is to end
	 */
	bool stop;

	/**
	 * encdnsd is to hear about the configuration
	 */
	bool news;

	/**
	 * Lock for the two above; all below belongs to the thread
	 */
	mutex_t *mutex;

	/**
	 * encdnsd
	 */
	encdns_helper_t *helper;

	/**
	 * entry_t*
	 */
	linked_list_t *entries;

	/**
	 * When to try again what has failed
	 */
	encdns_backoff_t backoff;
};

/**
 * Get what was done for a connection.
 */
static entry_t *get_entry(private_encdns_bus_t *this, const char *name)
{
	enumerator_t *enumerator;
	entry_t *current, *entry = NULL;

	enumerator = this->entries->create_enumerator(this->entries);
	while (!entry && enumerator->enumerate(enumerator, &current))
	{
		if (streq(current->name, name))
		{
			entry = current;
		}
	}
	enumerator->destroy(enumerator);
	if (!entry)
	{
		INIT(entry,
			.this = this,
			.name = strdup(name),
		);
		this->entries->insert_last(this->entries, entry);
	}
	return entry;
}

static void destroy_entry(entry_t *entry)
{
	sd_bus_slot_unref(entry->call);
	free(entry->name);
	free(entry);
}

/**
 * Remove a connection's link.
 */
static void remove_link(entry_t *entry)
{
	int ret;

	if (entry->link.name[0])
	{
		ret = encdns_link_remove(entry->link.name, entry->name);
		if (ret < 0 && ret != -ENODEV)
		{
			DBG1(DBG_CFG, "encdns: removing link %s of '%s' failed: %s",
				 entry->link.name, entry->name, strerror(-ret));
		}
		else
		{
			DBG2(DBG_CFG, "encdns: removed link %s of '%s'", entry->link.name,
				 entry->name);
		}
		entry->link.name[0] = '\0';
	}
}

/**
 * Give a link its guard, when encdnsd has the link: nothing waits for it, and without it all works.
 */
static void guard(const encdns_link_t *link)
{
	int ret;

	ret = encdns_link_guard(link);
	if (ret < 0)
	{
		DBG1(DBG_CFG, "encdns: link %s of '%s' has no guard, names leak if it is "
			 "deleted: %s", link->name, link->connection, strerror(-ret));
	}
}

/**
 * A step failed: say so, and try again later.
 */
static void step_failed(entry_t *entry, const char *what, const char *why)
{
	DBG1(DBG_CFG, "encdns: %s '%s' failed: %s", what, entry->name, why);
	encdns_backoff_failed(&entry->this->backoff);
}

/**
 * A wish is fulfilled.
 */
static void settle(entry_t *entry)
{
	entry->settled = TRUE;
	encdns_backoff_reset(&entry->this->backoff);
}

static int on_applied(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	entry_t *entry = data;

	entry->call = sd_bus_slot_unref(entry->call);
	if (error)
	{
		step_failed(entry, "setting up DNS for", error->message ?: error->name);
	}
	else
	{
		settle(entry);
		DBG2(DBG_CFG, "encdns: encdnsd has the state of '%s', link %s",
			 entry->name, entry->link.name);
	}
	return 0;
}

static int on_removed(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	entry_t *entry = data;
	int keep = TRUE;

	entry->call = sd_bus_slot_unref(entry->call);
	if (error || sd_bus_message_read(reply, "b", &keep) < 0)
	{
		step_failed(entry, "taking back DNS for",
					error ? error->message ?: error->name : "malformed reply");
		return 0;
	}
	settle(entry);
	entry->told = FALSE;
	if (!keep)
	{
		remove_link(entry);
	}
	else
	{
		DBG1(DBG_CFG, "encdns: the domains of '%s' stay blocked on link %s",
			 entry->name, entry->link.name);
	}
	return 0;
}

/**
 * Carry out that a connection is up.
 *
 * @return			0 or a negative errno
 */
static int apply(private_encdns_bus_t *this, entry_t *entry,
				 encdns_wish_t *wish)
{
	sd_bus_message *message = NULL;
	int ret;

	if ((ret = encdns_link_ensure(entry->name, &entry->link)) >= 0 &&
		(ret = this->helper->prepare(this->helper, "Apply", &message)) >= 0 &&
		(ret = sd_bus_message_append_basic(message, 's', entry->name)) >= 0 &&
		(ret = encdns_apply_append(message, wish->state, &entry->link)) >= 0)
	{
		ret = this->helper->send(this->helper, message, on_applied, entry,
								 &entry->call);
		entry->told = TRUE;
		guard(&entry->link);
	}
	sd_bus_message_unref(message);
	return ret;
}

/**
 * Carry out that a connection is down.
 *
 * @return			0 or a negative errno
 */
static int take_back(private_encdns_bus_t *this, entry_t *entry,
					 encdns_wish_t *wish)
{
	sd_bus_message *message = NULL;
	int ret;

	if ((ret = this->helper->prepare(this->helper, "Remove", &message)) >= 0 &&
		(ret = sd_bus_message_append(message, "ss", entry->name,
									 wish->lost ? "lost" : "orderly")) >= 0)
	{
		ret = this->helper->send(this->helper, message, on_removed, entry,
								 &entry->call);
	}
	sd_bus_message_unref(message);
	return ret;
}

/**
 * Carry out a wish as far as it can be now.
 *
 * @return			TRUE if nothing is left to be done
 */
static bool carry_out(private_encdns_bus_t *this, encdns_wish_t *wish)
{
	entry_t *entry = get_entry(this, wish->connection);
	const char *problem;
	int ret;

	if (entry->call)
	{
		return FALSE;
	}
	if (entry->generation != wish->generation)
	{
		entry->generation = wish->generation;
		entry->settled = entry->complained = FALSE;
		this->helper->look_again(this->helper);
	}
	if (!wish->state && !entry->told)
	{
		entry->settled = TRUE;
	}
	if (entry->settled)
	{
		return TRUE;
	}
	if (!this->helper->is_present(this->helper))
	{
		this->helper->want(this->helper);
		problem = this->helper->get_problem(this->helper);
		if (problem && wish->state && !entry->complained)
		{
			DBG1(DBG_CFG, "encdns: the DNS of '%s' is not set up: %s",
				 entry->name, problem);
			entry->complained = TRUE;
		}
	}
	else if (encdns_backoff_is_over(&this->backoff))
	{
		ret = wish->state ? apply(this, entry, wish)
						  : take_back(this, entry, wish);
		if (ret < 0)
		{
			step_failed(entry, wish->state ? "setting up DNS for"
										   : "taking back DNS for",
						strerror(-ret));
		}
	}
	return FALSE;
}

/**
 * Carry out all wishes as far as they can be now.
 *
 * @return			TRUE if nothing is left to be done
 */
static bool carry_out_all(private_encdns_bus_t *this)
{
	linked_list_t *wishes;
	enumerator_t *enumerator;
	encdns_wish_t *wish;
	bool done = TRUE;

	wishes = this->connections->get_wishes(this->connections);
	enumerator = wishes->create_enumerator(wishes);
	while (enumerator->enumerate(enumerator, &wish))
	{
		done = carry_out(this, wish) && done;
	}
	enumerator->destroy(enumerator);
	encdns_wishes_destroy(wishes);
	return done;
}

/**
 * encdnsd knows nothing any more: have it all told again.
 */
static void on_changed(void *data)
{
	private_encdns_bus_t *this = data;
	enumerator_t *enumerator;
	entry_t *entry;

	enumerator = this->entries->create_enumerator(this->entries);
	while (enumerator->enumerate(enumerator, &entry))
	{
		if (entry->told)
		{
			entry->settled = FALSE;
		}
		entry->call = sd_bus_slot_unref(entry->call);
	}
	enumerator->destroy(enumerator);
	encdns_backoff_reset(&this->backoff);
}

/**
 * Is a connection up?
 */
static bool is_up(private_encdns_bus_t *this, const char *connection)
{
	linked_list_t *wishes;
	enumerator_t *enumerator;
	encdns_wish_t *wish;
	bool up = FALSE;

	wishes = this->connections->get_wishes(this->connections);
	enumerator = wishes->create_enumerator(wishes);
	while (!up && enumerator->enumerate(enumerator, &wish))
	{
		up = wish->state && streq(wish->connection, connection);
	}
	enumerator->destroy(enumerator);
	encdns_wishes_destroy(wishes);
	return up;
}

/**
 * encdnsd needs a link no more. It may be one that an earlier charon has left.
 */
static void on_released(void *data, const char *connection, const char *link)
{
	private_encdns_bus_t *this = data;
	entry_t *entry;

	if (!is_up(this, connection))
	{
		entry = get_entry(this, connection);
		snprintf(entry->link.name, sizeof(entry->link.name), "%s", link);
		remove_link(entry);
	}
}

static int on_adopted(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error)
	{
		DBG1(DBG_CFG, "encdns: encdnsd does not take a link: %s",
			 error->message ?: error->name);
	}
	return 0;
}

/**
 * A connection that is not up, but blocked, gets a link again.
 *
 * @return			0 or a negative errno
 */
static int give_link(private_encdns_bus_t *this, const char *connection)
{
	sd_bus_message *message = NULL;
	encdns_link_t link;
	int ret;

	if ((ret = encdns_link_ensure(connection, &link)) >= 0 &&
		(ret = this->helper->prepare(this->helper, "Adopt", &message)) >= 0 &&
		(ret = sd_bus_message_append(message, "ssi", connection, link.name,
									 link.index)) >= 0)
	{
		ret = this->helper->send(this->helper, message, on_adopted, NULL, NULL);
		guard(&link);
	}
	sd_bus_message_unref(message);
	return ret;
}

/**
 * encdnsd misses a link: somebody has deleted it, or it went with a reboot.
 */
static void on_link_wanted(void *data, const char *connection)
{
	private_encdns_bus_t *this = data;
	entry_t *entry;
	int ret;

	if (is_up(this, connection))
	{
		entry = get_entry(this, connection);
		entry->settled = FALSE;
		/* what is under way is about the link that is gone */
		entry->call = sd_bus_slot_unref(entry->call);
		encdns_backoff_reset(&this->backoff);
		return;
	}
	ret = give_link(this, connection);
	if (ret < 0)
	{
		DBG1(DBG_CFG, "encdns: there is no link for the blocked domains of "
			 "'%s': %s", connection, strerror(-ret));
	}
}

static const encdns_helper_events_t events = {
	.changed = on_changed,
	.released = on_released,
	.link_wanted = on_link_wanted,
};

/**
 * Wait until something happens.
 */
static void wait_for_event(private_encdns_bus_t *this, uint64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = this->event, .events = POLLIN },
		{ .fd = -1 },
	};
	uint64_t until, now, count;
	int timeout = -1;

	this->helper->get_wait(this->helper, &fds[1].fd, &fds[1].events, &until);
	until = min(until, deadline);
	if (this->backoff.until)
	{
		until = min(until, this->backoff.until);
	}
	if (until != UINT64_MAX)
	{
		now = encdns_now();
		timeout = until > now ? min(until - now, INT_MAX) : 0;
	}
	if (poll(fds, countof(fds), timeout) > 0 && fds[0].revents &&
		read(this->event, &count, sizeof(count)) < 0)
	{
		DBG1(DBG_CFG, "encdns: reading from an eventfd: %s", strerror(errno));
	}
}

/**
 * See what others want of the thread.
 *
 * @return			TRUE if it is to end
 */
static bool take_orders(private_encdns_bus_t *this)
{
	bool stop, news;

	this->mutex->lock(this->mutex);
	stop = this->stop;
	news = this->news;
	this->news = FALSE;
	this->mutex->unlock(this->mutex);

	if (news)
	{
		this->helper->look_again(this->helper);
		this->helper->announce(this->helper);
	}
	return stop;
}

static void *run(private_encdns_bus_t *this)
{
	uint64_t deadline = UINT64_MAX;
	bool done = FALSE, stop = FALSE;
	sigset_t signals;

	/* they are the daemon's business */
	sigfillset(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);

	while (!(stop && (done || deadline <= encdns_now())))
	{
		this->helper->process(this->helper);
		done = carry_out_all(this);
		if (!(stop && done))
		{
			wait_for_event(this, deadline);
		}
		if (take_orders(this) && !stop)
		{
			stop = TRUE;
			deadline = encdns_now() + DRAIN_TIMEOUT;
		}
	}
	if (!done)
	{
		DBG1(DBG_CFG, "encdns: not everything could be taken back");
	}
	return NULL;
}

METHOD(encdns_bus_t, wake, void,
	private_encdns_bus_t *this)
{
	uint64_t one = 1;

	/* a counter that is full wakes as well */
	if (write(this->event, &one, sizeof(one)) < 0 && errno != EAGAIN)
	{
		DBG1(DBG_CFG, "encdns: writing to an eventfd: %s", strerror(errno));
	}
}

METHOD(encdns_bus_t, announce, void,
	private_encdns_bus_t *this)
{
	this->mutex->lock(this->mutex);
	this->news = TRUE;
	this->mutex->unlock(this->mutex);
	wake(this);
}

METHOD(encdns_bus_t, start, bool,
	private_encdns_bus_t *this, encdns_connections_t *connections)
{
	this->connections = connections;
	this->thread = thread_create((thread_main_t)run, this);
	return this->thread != NULL;
}

METHOD(encdns_bus_t, destroy, void,
	private_encdns_bus_t *this)
{
	if (this->thread)
	{
		this->mutex->lock(this->mutex);
		this->stop = TRUE;
		this->mutex->unlock(this->mutex);
		wake(this);
		this->thread->join(this->thread);
	}
	this->entries->destroy_function(this->entries, (void*)destroy_entry);
	this->helper->destroy(this->helper);
	this->mutex->destroy(this->mutex);
	if (this->event >= 0)
	{
		close(this->event);
	}
	free(this);
}

/*
 * Described in header
 */
encdns_bus_t *encdns_bus_create(encdns_current_t *current)
{
	private_encdns_bus_t *this;

	INIT(this,
		.public = {
			.wake = _wake,
			.announce = _announce,
			.start = _start,
			.destroy = _destroy,
		},
		.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.entries = linked_list_create(),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	this->helper = encdns_helper_create(current, &events, this);
	if (this->event < 0)
	{
		DBG1(DBG_CFG, "encdns: no eventfd: %s", strerror(errno));
		destroy(this);
		return NULL;
	}
	return &this->public;
}
