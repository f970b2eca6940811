#include "encdns_bus.h"
#include "encdns_apply.h"
#include "encdns_link.h"

#include <threading/mutex.h>
#include <threading/thread.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>

#define HELPER "org.strongswan.EncDns1"
#define HELPER_PATH "/org/strongswan/EncDns1"
#define HELPER_INTERFACE "org.strongswan.EncDns1.Manager"

#define DBUS "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

/** Longest that Apply and Remove may take, us */
#define CALL_TIMEOUT 10000000

/** Longest that the end of the daemon waits for us, ms */
#define DRAIN_TIMEOUT 3000

/** Pauses before something is tried again, ms */
#define PAUSE_MIN 1000
#define PAUSE_MAX 60000

typedef struct private_encdns_bus_t private_encdns_bus_t;

/**
 * Where encdnsd is.
 */
typedef enum {
	/** we have not heard yet */
	HELPER_UNKNOWN,
	/** not on the bus, which may start it */
	HELPER_ABSENT,
	/** the bus was asked to start it */
	HELPER_STARTING,
	/** the bus does not know how to start it */
	HELPER_MISSING,
	/** there, and announced to */
	HELPER_PRESENT,
} helper_t;

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
	/** its absence was complained about */
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
	 * The configuration in force
	 */
	encdns_current_t *current;

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
	 * System bus, NULL while there is none
	 */
	sd_bus *bus;

	/**
	 * Where encdnsd is
	 */
	helper_t helper;

	/**
	 * entry_t*
	 */
	linked_list_t *entries;

	/**
	 * When to try again (ms), 0: nothing to be tried again
	 */
	uint64_t retry;

	/**
	 * Pause before that (ms)
	 */
	u_int pause;
};

/**
 * Monotonic time in milliseconds.
 */
static uint64_t now_ms(void)
{
	timeval_t now;

	time_monotonic(&now);
	return now.tv_sec * 1000ULL + now.tv_usec / 1000;
}

/**
 * Have things tried again, a little later each time.
 */
static void retry_later(private_encdns_bus_t *this)
{
	if (!this->retry)
	{
		this->pause = this->pause ? min(2 * this->pause, PAUSE_MAX) : PAUSE_MIN;
		this->retry = now_ms() + this->pause;
	}
}

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
 * Have everything that is up told to encdnsd (again).
 */
static void unsettle(private_encdns_bus_t *this)
{
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
}

/**
 * A call failed: say so, and try again later.
 */
static void call_failed(entry_t *entry, const char *what, const char *why)
{
	DBG1(DBG_CFG, "encdns: %s '%s' failed: %s", what, entry->name, why);
	retry_later(entry->this);
}

static int on_applied(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	entry_t *entry = data;

	entry->call = sd_bus_slot_unref(entry->call);
	if (error)
	{
		call_failed(entry, "setting up DNS for", error->message ?: error->name);
	}
	else
	{
		entry->settled = TRUE;
		entry->this->pause = 0;
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
		call_failed(entry, "taking back DNS for",
					error ? error->message ?: error->name : "malformed reply");
		return 0;
	}
	entry->settled = TRUE;
	entry->told = FALSE;
	entry->this->pause = 0;
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
 * Call a method with what `append` puts into it.
 */
static int call(private_encdns_bus_t *this, entry_t *entry, const char *method,
				sd_bus_message_handler_t callback,
				int (*append)(sd_bus_message *message, entry_t *entry,
							  encdns_wish_t *wish), encdns_wish_t *wish)
{
	sd_bus_message *message = NULL;
	int ret;

	ret = sd_bus_message_new_method_call(this->bus, &message, HELPER,
										 HELPER_PATH, HELPER_INTERFACE, method);
	if (ret >= 0)
	{
		/* it must be there; if it is not then it is started in a way that has Announce come first */
		sd_bus_message_set_auto_start(message, FALSE);
		ret = append(message, entry, wish);
	}
	if (ret >= 0)
	{
		ret = sd_bus_call_async(this->bus, &entry->call, message, callback, entry,
								CALL_TIMEOUT);
	}
	sd_bus_message_unref(message);
	return ret;
}

static int append_apply(sd_bus_message *message, entry_t *entry,
						encdns_wish_t *wish)
{
	int ret;

	ret = sd_bus_message_append_basic(message, 's', entry->name);
	return ret < 0 ? ret : encdns_apply_append(message, wish->state, &entry->link);
}

static int append_remove(sd_bus_message *message, entry_t *entry,
						 encdns_wish_t *wish)
{
	return sd_bus_message_append(message, "ss", entry->name,
								 wish->lost ? "lost" : "orderly");
}

/**
 * Carry out that a connection is up.
 */
static void apply(private_encdns_bus_t *this, entry_t *entry,
				  encdns_wish_t *wish)
{
	int ret;

	ret = encdns_link_ensure(entry->name, &entry->link);
	if (ret < 0)
	{
		call_failed(entry, "making a link for", strerror(-ret));
		return;
	}
	ret = call(this, entry, "Apply", on_applied, append_apply, wish);
	if (ret < 0)
	{
		call_failed(entry, "setting up DNS for", strerror(-ret));
		return;
	}
	entry->told = TRUE;
}

/**
 * Carry out that a connection is down.
 */
static void take_back(private_encdns_bus_t *this, entry_t *entry,
					  encdns_wish_t *wish)
{
	int ret;

	ret = call(this, entry, "Remove", on_removed, append_remove, wish);
	if (ret < 0)
	{
		call_failed(entry, "taking back DNS for", strerror(-ret));
	}
}

static int on_announced(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error)
	{
		DBG1(DBG_CFG, "encdns: encdnsd refuses us: %s",
			 error->message ?: error->name);
	}
	return 0;
}

/**
 * Tell encdnsd that we are here.
 */
static void announce(private_encdns_bus_t *this)
{
	sd_bus_message *message = NULL;
	int ret;

	ret = sd_bus_message_new_method_call(this->bus, &message, HELPER,
										 HELPER_PATH, HELPER_INTERFACE,
										 "Announce");
	if (ret >= 0)
	{
		sd_bus_message_set_auto_start(message, FALSE);
		ret = encdns_announce_append(message, this->current);
	}
	if (ret >= 0)
	{
		ret = sd_bus_call_async(this->bus, NULL, message, on_announced, this, 0);
	}
	sd_bus_message_unref(message);
	if (ret < 0)
	{
		DBG1(DBG_CFG, "encdns: announcing to encdnsd failed: %s",
			 strerror(-ret));
	}
}

/**
 * encdnsd has come, or has gone.
 */
static void set_helper(private_encdns_bus_t *this, bool present)
{
	if (present && this->helper != HELPER_PRESENT)
	{
		this->helper = HELPER_PRESENT;
		this->pause = this->retry = 0;
		unsettle(this);
		announce(this);
	}
	else if (!present && this->helper != HELPER_ABSENT)
	{
		/* who crashes at once is not started at once again */
		if (this->helper == HELPER_PRESENT)
		{
			DBG1(DBG_CFG, "encdns: encdnsd is gone");
			unsettle(this);
			retry_later(this);
		}
		this->helper = HELPER_ABSENT;
	}
}

static int on_owner_changed(sd_bus_message *message, void *data,
							sd_bus_error *unused)
{
	const char *name, *old, *new;

	if (sd_bus_message_read(message, "sss", &name, &old, &new) >= 0)
	{
		if (*old)
		{
			set_helper(data, FALSE);
		}
		if (*new)
		{
			set_helper(data, TRUE);
		}
	}
	return 0;
}

static int on_owner(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	set_helper(data, !sd_bus_message_is_method_error(reply, NULL));
	return 0;
}

static int on_started(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	private_encdns_bus_t *this = data;

	if (!error)
	{
		set_helper(this, TRUE);
	}
	else if (this->helper == HELPER_STARTING)
	{
		DBG1(DBG_CFG, "encdns: encdnsd cannot be started: %s",
			 error->message ?: error->name);
		this->helper = HELPER_ABSENT;
		if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
		{
			this->helper = HELPER_MISSING;
		}
		else
		{
			retry_later(this);
		}
	}
	return 0;
}

static int on_released(sd_bus_message *message, void *data, sd_bus_error *unused)
{
	private_encdns_bus_t *this = data;
	const char *connection, *link;
	linked_list_t *wishes;
	enumerator_t *enumerator;
	encdns_wish_t *wish;
	entry_t *entry;
	bool up = FALSE;

	if (sd_bus_message_read(message, "ss", &connection, &link) < 0)
	{
		return 0;
	}
	wishes = this->connections->get_wishes(this->connections);
	enumerator = wishes->create_enumerator(wishes);
	while (enumerator->enumerate(enumerator, &wish))
	{
		up = up || (wish->state && streq(wish->connection, connection));
	}
	enumerator->destroy(enumerator);
	encdns_wishes_destroy(wishes);
	if (!up)
	{
		/* it may be one that an earlier charon has left */
		entry = get_entry(this, connection);
		snprintf(entry->link.name, sizeof(entry->link.name), "%s", link);
		remove_link(entry);
	}
	return 0;
}

/**
 * Ask the bus to start encdnsd.
 */
static void start_helper(private_encdns_bus_t *this)
{
	if (sd_bus_call_method_async(this->bus, NULL, DBUS, DBUS_PATH, DBUS,
								 "StartServiceByName", on_started, this, "su",
								 HELPER, 0) >= 0)
	{
		this->helper = HELPER_STARTING;
	}
}

/**
 * Say, once, that a connection's DNS waits for encdnsd.
 */
static void complain(private_encdns_bus_t *this, entry_t *entry)
{
	if (!entry->complained && (!this->bus || this->helper == HELPER_MISSING))
	{
		DBG1(DBG_CFG, "encdns: the DNS of '%s' is not set up: %s", entry->name,
			 this->bus ? "encdnsd is not installed" : "there is no system bus");
		entry->complained = TRUE;
	}
}

/**
 * Carry out a wish as far as it can be now.
 *
 * @return			TRUE if nothing is left to be done
 */
static bool carry_out(private_encdns_bus_t *this, encdns_wish_t *wish)
{
	entry_t *entry = get_entry(this, wish->connection);

	if (entry->call)
	{
		return FALSE;
	}
	if (entry->generation != wish->generation)
	{
		entry->generation = wish->generation;
		entry->settled = entry->complained = FALSE;
	}
	if (!wish->state && !entry->told)
	{
		entry->settled = TRUE;
	}
	if (entry->settled)
	{
		return TRUE;
	}
	if (this->helper == HELPER_PRESENT && !this->retry)
	{
		if (wish->state)
		{
			apply(this, entry, wish);
		}
		else
		{
			take_back(this, entry, wish);
		}
	}
	else if (this->helper == HELPER_ABSENT && this->bus && !this->retry)
	{
		start_helper(this);
	}
	if (wish->state)
	{
		complain(this, entry);
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

	if (this->retry && this->retry <= now_ms())
	{
		this->retry = 0;
	}
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
 * Leave the bus.
 */
static void disconnect(private_encdns_bus_t *this)
{
	if (this->bus)
	{
		unsettle(this);
		this->bus = sd_bus_close_unref(this->bus);
		this->helper = HELPER_UNKNOWN;
	}
}

/**
 * Join the bus and listen to what concerns us.
 */
static void connect_bus(private_encdns_bus_t *this)
{
	int ret;

	if (this->bus || this->retry)
	{
		return;
	}
	if ((ret = sd_bus_open_system(&this->bus)) < 0 ||
		(ret = sd_bus_add_match_async(this->bus, NULL,
				"type='signal',sender='" DBUS "',interface='" DBUS "',"
				"member='NameOwnerChanged',arg0='" HELPER "'",
				on_owner_changed, NULL, this)) < 0 ||
		(ret = sd_bus_match_signal_async(this->bus, NULL, HELPER, HELPER_PATH,
				HELPER_INTERFACE, "Released", on_released, NULL, this)) < 0 ||
		(ret = sd_bus_call_method_async(this->bus, NULL, DBUS, DBUS_PATH, DBUS,
				"GetNameOwner", on_owner, this, "s", HELPER)) < 0)
	{
		DBG2(DBG_CFG, "encdns: no system bus: %s", strerror(-ret));
		disconnect(this);
		retry_later(this);
	}
}

/**
 * Let the bus do what it has to do.
 */
static void process_bus(private_encdns_bus_t *this)
{
	int ret = 1;

	while (this->bus && ret > 0)
	{
		ret = sd_bus_process(this->bus, NULL);
	}
	if (this->bus && ret < 0)
	{
		DBG1(DBG_CFG, "encdns: the system bus is gone: %s", strerror(-ret));
		disconnect(this);
		retry_later(this);
	}
}

/**
 * How long to wait at most, in ms.
 */
static int get_timeout(private_encdns_bus_t *this, uint64_t deadline)
{
	uint64_t until = UINT64_MAX, now = now_ms();

	if (this->bus && sd_bus_get_timeout(this->bus, &until) >= 0 &&
		until != UINT64_MAX)
	{
		/* from us, rounded up */
		until = (until + 999) / 1000;
	}
	if (this->retry)
	{
		until = min(until, this->retry);
	}
	until = min(until, deadline);
	if (until == UINT64_MAX)
	{
		return -1;
	}
	return until > now ? min(until - now, INT_MAX) : 0;
}

/**
 * Wait until something happens.
 */
static void wait_for_event(private_encdns_bus_t *this, uint64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = this->event, .events = POLLIN },
		{ .fd = this->bus ? sd_bus_get_fd(this->bus) : -1,
		  .events = this->bus ? sd_bus_get_events(this->bus) : 0 },
	};
	uint64_t count;

	if (poll(fds, countof(fds), get_timeout(this, deadline)) > 0 &&
		fds[0].revents && read(this->event, &count, sizeof(count)) < 0)
	{
		DBG2(DBG_CFG, "encdns: reading from an eventfd: %s", strerror(errno));
	}
}

/**
 * Take over what others have asked for.
 */
static bool take_orders(private_encdns_bus_t *this)
{
	bool stop, news;

	this->mutex->lock(this->mutex);
	stop = this->stop;
	news = this->news;
	this->news = FALSE;
	this->mutex->unlock(this->mutex);

	if (news && this->helper == HELPER_PRESENT)
	{
		announce(this);
	}
	if (this->helper == HELPER_MISSING)
	{
		/* it may have been installed since */
		this->helper = HELPER_ABSENT;
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

	while (!(stop && (done || deadline <= now_ms())))
	{
		connect_bus(this);
		process_bus(this);
		done = carry_out_all(this);
		if (!(stop && done))
		{
			wait_for_event(this, deadline);
		}
		if (take_orders(this) && !stop)
		{
			stop = TRUE;
			deadline = now_ms() + DRAIN_TIMEOUT;
		}
	}
	if (!done)
	{
		DBG1(DBG_CFG, "encdns: not everything could be taken back");
	}
	disconnect(this);
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

METHOD(encdns_bus_t, announce_, void,
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
			.announce = _announce_,
			.start = _start,
			.destroy = _destroy,
		},
		.current = current,
		.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.entries = linked_list_create(),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	if (this->event < 0)
	{
		DBG1(DBG_CFG, "encdns: no eventfd: %s", strerror(errno));
		destroy(this);
		return NULL;
	}
	return &this->public;
}
