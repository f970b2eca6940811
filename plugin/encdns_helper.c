#include "encdns_helper.h"
#include "encdns_apply.h"
#include "encdns_backoff.h"

#include <errno.h>

#define HELPER "org.strongswan.EncDns1"
#define HELPER_PATH "/org/strongswan/EncDns1"
#define HELPER_INTERFACE "org.strongswan.EncDns1.Manager"

#define DBUS "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

/** Longest that a call may take, us */
#define CALL_TIMEOUT 10000000

typedef struct private_encdns_helper_t private_encdns_helper_t;

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
} presence_t;

/**
 * Private data of an encdns_helper_t object.
 */
struct private_encdns_helper_t {

	/**
	 * Public interface
	 */
	encdns_helper_t public;

	/**
	 * The configuration in force
	 */
	encdns_current_t *current;

	/**
	 * Whom to tell
	 */
	const encdns_helper_events_t *events;

	/**
	 * Argument for the above
	 */
	void *data;

	/**
	 * System bus, NULL while there is none
	 */
	sd_bus *bus;

	/**
	 * Where encdnsd is
	 */
	presence_t presence;

	/**
	 * When to join the bus or start encdnsd again
	 */
	encdns_backoff_t backoff;
};

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

METHOD(encdns_helper_t, prepare, int,
	private_encdns_helper_t *this, const char *method,
	sd_bus_message **ret_message)
{
	int ret;

	ret = sd_bus_message_new_method_call(this->bus, ret_message, HELPER,
										 HELPER_PATH, HELPER_INTERFACE, method);
	if (ret >= 0)
	{
		/* want() starts it, so that it is announced to before this call */
		ret = sd_bus_message_set_auto_start(*ret_message, FALSE);
	}
	return ret;
}

METHOD(encdns_helper_t, send_, int,
	private_encdns_helper_t *this, sd_bus_message *message,
	sd_bus_message_handler_t callback, void *data, sd_bus_slot **ret_slot)
{
	return sd_bus_call_async(this->bus, ret_slot, message, callback, data,
							 CALL_TIMEOUT);
}

METHOD(encdns_helper_t, announce, void,
	private_encdns_helper_t *this)
{
	sd_bus_message *message = NULL;
	int ret;

	if (this->presence != HELPER_PRESENT)
	{
		return;
	}
	ret = prepare(this, "Announce", &message);
	if (ret >= 0)
	{
		ret = encdns_announce_append(message, this->current);
	}
	if (ret >= 0)
	{
		ret = send_(this, message, on_announced, NULL, NULL);
	}
	sd_bus_message_unref(message);
	if (ret < 0)
	{
		DBG1(DBG_CFG, "encdns: announcing to encdnsd failed: %s",
			 strerror(-ret));
	}
}

/**
 * encdnsd is there.
 */
static void has_come(private_encdns_helper_t *this)
{
	if (this->presence != HELPER_PRESENT)
	{
		this->presence = HELPER_PRESENT;
		encdns_backoff_reset(&this->backoff);
		announce(this);
		this->events->changed(this->data);
	}
}

/**
 * encdnsd is not there.
 */
static void has_gone(private_encdns_helper_t *this)
{
	bool was_present = this->presence == HELPER_PRESENT;

	this->presence = HELPER_ABSENT;
	if (was_present)
	{
		DBG1(DBG_CFG, "encdns: encdnsd is gone");
		/* one that crashes is not started again at once */
		encdns_backoff_failed(&this->backoff);
		this->events->changed(this->data);
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
			has_gone(data);
		}
		if (*new)
		{
			has_come(data);
		}
	}
	return 0;
}

static int on_owner(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	if (sd_bus_message_is_method_error(reply, NULL))
	{
		has_gone(data);
	}
	else
	{
		has_come(data);
	}
	return 0;
}

static int on_started(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	private_encdns_helper_t *this = data;

	if (!error)
	{
		has_come(this);
	}
	else if (this->presence == HELPER_STARTING)
	{
		DBG1(DBG_CFG, "encdns: encdnsd cannot be started: %s",
			 error->message ?: error->name);
		if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
		{
			this->presence = HELPER_MISSING;
		}
		else
		{
			this->presence = HELPER_ABSENT;
			encdns_backoff_failed(&this->backoff);
		}
	}
	return 0;
}

static int on_released(sd_bus_message *message, void *data, sd_bus_error *unused)
{
	private_encdns_helper_t *this = data;
	const char *connection, *link;

	if (sd_bus_message_read(message, "ss", &connection, &link) >= 0)
	{
		this->events->released(this->data, connection, link);
	}
	return 0;
}

static int on_link_wanted(sd_bus_message *message, void *data,
						  sd_bus_error *unused)
{
	private_encdns_helper_t *this = data;
	const char *connection;

	if (sd_bus_message_read(message, "s", &connection) >= 0)
	{
		this->events->link_wanted(this->data, connection);
	}
	return 0;
}

/**
 * Leave the bus.
 */
static void leave(private_encdns_helper_t *this)
{
	this->presence = HELPER_UNKNOWN;
	/* those who called still have their slots */
	this->events->changed(this->data);
	this->bus = sd_bus_close_unref(this->bus);
	encdns_backoff_failed(&this->backoff);
}

/**
 * Join the bus, and listen to what concerns us.
 */
static void join(private_encdns_helper_t *this)
{
	int ret;

	if (this->bus || !encdns_backoff_is_over(&this->backoff))
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
		(ret = sd_bus_match_signal_async(this->bus, NULL, HELPER, HELPER_PATH,
				HELPER_INTERFACE, "LinkWanted", on_link_wanted, NULL, this)) < 0 ||
		(ret = sd_bus_call_method_async(this->bus, NULL, DBUS, DBUS_PATH, DBUS,
				"GetNameOwner", on_owner, this, "s", HELPER)) < 0)
	{
		DBG2(DBG_CFG, "encdns: no system bus: %s", strerror(-ret));
		leave(this);
	}
}

METHOD(encdns_helper_t, process, void,
	private_encdns_helper_t *this)
{
	int ret = 1;

	join(this);
	while (this->bus && ret > 0)
	{
		ret = sd_bus_process(this->bus, NULL);
	}
	if (this->bus && ret < 0)
	{
		DBG1(DBG_CFG, "encdns: the system bus is gone: %s", strerror(-ret));
		leave(this);
	}
}

METHOD(encdns_helper_t, is_present, bool,
	private_encdns_helper_t *this)
{
	return this->presence == HELPER_PRESENT;
}

METHOD(encdns_helper_t, want, void,
	private_encdns_helper_t *this)
{
	if (this->presence == HELPER_ABSENT &&
		encdns_backoff_is_over(&this->backoff) &&
		sd_bus_call_method_async(this->bus, NULL, DBUS, DBUS_PATH, DBUS,
								 "StartServiceByName", on_started, this, "su",
								 HELPER, 0) >= 0)
	{
		this->presence = HELPER_STARTING;
	}
}

METHOD(encdns_helper_t, get_problem, const char*,
	private_encdns_helper_t *this)
{
	if (!this->bus)
	{
		return "there is no system bus";
	}
	return this->presence == HELPER_MISSING ? "encdnsd is not installed" : NULL;
}

METHOD(encdns_helper_t, look_again, void,
	private_encdns_helper_t *this)
{
	if (this->presence == HELPER_MISSING)
	{
		this->presence = HELPER_ABSENT;
	}
}

METHOD(encdns_helper_t, get_wait, void,
	private_encdns_helper_t *this, int *ret_fd, short *ret_events,
	uint64_t *ret_until)
{
	uint64_t until;

	*ret_fd = this->bus ? sd_bus_get_fd(this->bus) : -1;
	*ret_events = this->bus ? sd_bus_get_events(this->bus) : 0;
	*ret_until = this->backoff.until ?: UINT64_MAX;
	if (this->bus && sd_bus_get_timeout(this->bus, &until) >= 0 &&
		until != UINT64_MAX)
	{
		/* from us, rounded up */
		*ret_until = min(*ret_until, (until + 999) / 1000);
	}
}

METHOD(encdns_helper_t, destroy, void,
	private_encdns_helper_t *this)
{
	sd_bus_close_unref(this->bus);
	free(this);
}

/*
 * Described in header
 */
encdns_helper_t *encdns_helper_create(encdns_current_t *current,
									  const encdns_helper_events_t *events,
									  void *data)
{
	private_encdns_helper_t *this;

	INIT(this,
		.public = {
			.process = _process,
			.is_present = _is_present,
			.want = _want,
			.get_problem = _get_problem,
			.look_again = _look_again,
			.announce = _announce,
			.prepare = _prepare,
			.send = _send_,
			.get_wait = _get_wait,
			.destroy = _destroy,
		},
		.current = current,
		.events = events,
		.data = data,
	);
	return &this->public;
}
