#include "encdns_connections.h"
#include "encdns_ranges.h"

#include "wire/attribute.h"

#include <encoding/payloads/cp_payload.h>
#include <threading/mutex.h>

#include <stdio.h>

/** The identity of RFC 7619's NULL authentication, which strongSwan has no name for */
#define ID_NULL_TYPE 13

typedef struct private_encdns_connections_t private_encdns_connections_t;

/**
 * An IKE_SA that has asked.
 */
typedef struct {
	/** unique ID */
	uint32_t id;
	/** attributes of the last reply, not trusted yet, encdns_attribute_t* */
	linked_list_t *received;
	/** what it brings; never changed once shared, replaced */
	encdns_state_t *state;
	/** the gateway is authenticated, the attributes are in state */
	bool established;
	/** it has, or had, a CHILD_SA since */
	bool ready;
	/** somebody wants it deleted */
	bool deleting;
	/** the peer did not answer any more, or a new one takes its place */
	bool lost;
} sa_t;

/**
 * A connection.
 */
typedef struct {
	char *name;
	/** sa_t*, the oldest first */
	linked_list_t *sas;
	/** what is desired, NULL: down */
	encdns_state_t *desired;
	/** how the last IKE_SA ended */
	bool lost;
	/** changes of desired */
	u_int generation;
} connection_t;

/**
 * Private data of an encdns_connections_t object.
 */
struct private_encdns_connections_t {

	/**
	 * Public interface
	 */
	encdns_connections_t public;

	/**
	 * connection_t*
	 */
	linked_list_t *connections;

	/**
	 * The daemon is about to end: nobody wished that of the connections, and it
	 * may be on its way back, so whatever goes now is lost
	 */
	bool shutdown;

	/**
	 * Lock for all of the above
	 */
	mutex_t *mutex;

	/**
	 * Whom to tell
	 */
	void (*changed)(void *data);

	/**
	 * Argument for the above
	 */
	void *data;
};

static void destroy_sa(sa_t *sa)
{
	encdns_attributes_destroy(sa->received);
	encdns_state_put(sa->state);
	free(sa);
}

static void destroy_connection(connection_t *connection)
{
	connection->sas->destroy_function(connection->sas, (void*)destroy_sa);
	encdns_state_put(connection->desired);
	free(connection->name);
	free(connection);
}

static void destroy_wish(encdns_wish_t *wish)
{
	encdns_state_put(wish->state);
	free(wish->connection);
	free(wish);
}

/*
 * Described in header
 */
void encdns_wishes_destroy(linked_list_t *wishes)
{
	wishes->destroy_function(wishes, (void*)destroy_wish);
}

/**
 * Find an IKE_SA that has asked, and its connection. Called locked.
 */
static sa_t *find(private_encdns_connections_t *this, uint32_t id,
				  connection_t **ret_connection)
{
	enumerator_t *outer, *inner;
	connection_t *connection;
	sa_t *sa, *found = NULL;

	outer = this->connections->create_enumerator(this->connections);
	while (!found && outer->enumerate(outer, &connection))
	{
		inner = connection->sas->create_enumerator(connection->sas);
		while (!found && inner->enumerate(inner, &sa))
		{
			if (sa->id == id)
			{
				found = sa;
				*ret_connection = connection;
			}
		}
		inner->destroy(inner);
	}
	outer->destroy(outer);
	return found;
}

/**
 * Get a connection by its name. Called locked.
 */
static connection_t *get_connection(private_encdns_connections_t *this,
									const char *name)
{
	enumerator_t *enumerator;
	connection_t *current, *connection = NULL;

	enumerator = this->connections->create_enumerator(this->connections);
	while (!connection && enumerator->enumerate(enumerator, &current))
	{
		if (streq(current->name, name))
		{
			connection = current;
		}
	}
	enumerator->destroy(enumerator);
	if (!connection)
	{
		INIT(connection,
			.name = strdup(name),
			.sas = linked_list_create(),
		);
		this->connections->insert_last(this->connections, connection);
	}
	return connection;
}

/**
 * Work out what is desired for a connection. Called locked.
 *
 * @return			TRUE if it is something else than before
 */
static bool update(connection_t *connection)
{
	encdns_state_t *desired = NULL;
	enumerator_t *enumerator;
	sa_t *sa;

	enumerator = connection->sas->create_enumerator(connection->sas);
	while (enumerator->enumerate(enumerator, &sa))
	{
		if (sa->ready)
		{
			desired = sa->state;
		}
	}
	enumerator->destroy(enumerator);
	if (desired == connection->desired)
	{
		return FALSE;
	}
	encdns_state_put(connection->desired);
	connection->desired = desired ? encdns_state_ref(desired) : NULL;
	connection->generation++;
	return TRUE;
}

/**
 * Unlock, and tell about a change.
 */
static void unlock(private_encdns_connections_t *this, bool changed)
{
	this->mutex->unlock(this->mutex);
	if (changed)
	{
		this->changed(this->data);
	}
}

/**
 * An identity for people.
 */
static char *print_identity(identification_t *identity)
{
	/* by a pointer, as the compiler does not know strongSwan's conversions */
	int (*print)(char *buf, size_t len, const char *fmt, ...) = snprintf;
	char buf[512];

	return print(buf, sizeof(buf), "%Y", identity) < 0 ? NULL : strdup(buf);
}

/**
 * Does the gateway have no identity to speak of?
 */
static bool is_anonymous(identification_t *identity)
{
	id_type_t type = identity->get_type(identity);

	return type == ID_ANY || (int)type == ID_NULL_TYPE ||
		   identity->contains_wildcards(identity);
}

/**
 * The CHILD_SAs of an IKE_SA have changed.
 */
static void update_ranges(private_encdns_connections_t *this, ike_sa_t *ike_sa,
						  child_sa_t *up, child_sa_t *down)
{
	linked_list_t *ranges;
	encdns_state_t *state;
	connection_t *connection;
	bool changed = FALSE;
	sa_t *sa;

	this->mutex->lock(this->mutex);
	sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
	if (sa && sa->established)
	{
		ranges = encdns_ranges_collect(ike_sa, up, down);
		if (!encdns_ranges_equal(ranges, sa->state->ranges))
		{
			state = encdns_state_clone(sa->state);
			state->ranges->destroy_function(state->ranges, free);
			state->ranges = ranges;
			ranges = NULL;
			encdns_state_put(sa->state);
			sa->state = state;
		}
		if (ranges)
		{
			ranges->destroy_function(ranges, free);
		}
		sa->ready = sa->ready || up;
		changed = update(connection);
	}
	unlock(this, changed);
}

/**
 * Is a type of attribute ours, by its number or because the section gives it that meaning?
 */
static bool is_ours(encdns_laptop_t *laptop, uint16_t type)
{
	return wire_attribute_name(type) ||
		   (laptop->enc_dns && laptop->enc_dns == type);
}

/**
 * The attributes of a CFG_REPLY that are ours, as received.
 */
static linked_list_t *read_reply(message_t *message, encdns_laptop_t *laptop)
{
	linked_list_t *attributes;
	configuration_attribute_t *attribute;
	enumerator_t *enumerator;
	cp_payload_t *cp;

	attributes = linked_list_create();
	cp = (cp_payload_t*)message->get_payload(message, PLV2_CONFIGURATION);
	if (!cp || cp->get_type(cp) != CFG_REPLY)
	{
		return attributes;
	}
	enumerator = cp->create_attribute_enumerator(cp);
	while (enumerator->enumerate(enumerator, &attribute))
	{
		if (is_ours(laptop, attribute->get_type(attribute)))
		{
			attributes->insert_last(attributes, encdns_attribute_create(
											attribute->get_type(attribute),
											attribute->get_chunk(attribute)));
		}
	}
	enumerator->destroy(enumerator);
	return attributes;
}

METHOD(listener_t, message, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, message_t *message,
	bool incoming, bool plain)
{
	connection_t *connection;
	sa_t *sa;

	if (!incoming || !plain || message->get_request(message) ||
		message->get_exchange_type(message) != IKE_AUTH)
	{
		return TRUE;
	}
	this->mutex->lock(this->mutex);
	sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
	if (sa && !sa->established)
	{
		/* of several rounds the last one counts, as it does for strongSwan */
		encdns_attributes_destroy(sa->received);
		sa->received = read_reply(message, sa->state->laptop);
	}
	this->mutex->unlock(this->mutex);
	return TRUE;
}

METHOD(listener_t, handle_vips, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, bool handle)
{
	identification_t *identity;
	connection_t *connection;
	enumerator_t *enumerator;
	host_t *vip;
	sa_t *sa;

	if (!handle)
	{
		return TRUE;
	}
	this->mutex->lock(this->mutex);
	sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
	if (sa && !sa->established)
	{
		/* not shared with anybody yet, so it may change */
		sa->established = TRUE;
		encdns_attributes_destroy(sa->state->attributes);
		sa->state->attributes = sa->received;
		sa->received = linked_list_create();
		enumerator = ike_sa->create_virtual_ip_enumerator(ike_sa, TRUE);
		while (enumerator->enumerate(enumerator, &vip))
		{
			sa->state->vips->insert_last(sa->state->vips, vip->clone(vip));
		}
		enumerator->destroy(enumerator);
		identity = ike_sa->get_other_id(ike_sa);
		sa->state->anonymous = is_anonymous(identity);
		sa->state->gateway = print_identity(identity);
		encdns_state_set_gateway_hosts(sa->state, ike_sa);
	}
	this->mutex->unlock(this->mutex);
	return TRUE;
}

METHOD(listener_t, child_updown, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, child_sa_t *child_sa,
	bool up)
{
	update_ranges(this, ike_sa, up ? child_sa : NULL, up ? NULL : child_sa);
	return TRUE;
}

METHOD(listener_t, child_rekey, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, child_sa_t *old,
	child_sa_t *new)
{
	update_ranges(this, ike_sa, new, old);
	return TRUE;
}

METHOD(listener_t, ike_rekey, bool,
	private_encdns_connections_t *this, ike_sa_t *old, ike_sa_t *new)
{
	connection_t *connection;
	sa_t *sa;

	this->mutex->lock(this->mutex);
	sa = find(this, old->get_unique_id(old), &connection);
	if (sa)
	{
		sa->id = new->get_unique_id(new);
		sa->deleting = sa->lost = FALSE;
	}
	this->mutex->unlock(this->mutex);
	return TRUE;
}

METHOD(listener_t, ike_reestablish_pre, bool,
	private_encdns_connections_t *this, ike_sa_t *old, ike_sa_t *new)
{
	connection_t *connection;
	sa_t *sa;

	this->mutex->lock(this->mutex);
	sa = find(this, old->get_unique_id(old), &connection);
	if (sa)
	{
		sa->lost = TRUE;
	}
	this->mutex->unlock(this->mutex);
	return TRUE;
}

/**
 * Is there a task to delete an IKE_SA? If another exchange is under way then a forced end (the
 * daemon's, `swanctl --terminate --force`) does not wait until it is started.
 */
static bool is_delete_queued(ike_sa_t *ike_sa)
{
	static const task_queue_t queues[] = { TASK_QUEUE_ACTIVE, TASK_QUEUE_QUEUED };
	enumerator_t *enumerator;
	bool found = FALSE;
	task_t *task;
	u_int i;

	for (i = 0; !found && i < countof(queues); i++)
	{
		enumerator = ike_sa->create_task_enumerator(ike_sa, queues[i]);
		while (!found && enumerator->enumerate(enumerator, &task))
		{
			found = task->get_type(task) == TASK_IKE_DELETE;
		}
		enumerator->destroy(enumerator);
	}
	return found;
}

METHOD(listener_t, alert, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, alert_t alert,
	va_list args)
{
	connection_t *connection;
	sa_t *sa;

	switch (alert)
	{
		case ALERT_SHUTDOWN_SIGNAL:
			this->mutex->lock(this->mutex);
			this->shutdown = TRUE;
			this->mutex->unlock(this->mutex);
			break;
		case ALERT_RETRANSMIT_SEND_TIMEOUT:
		case ALERT_IKE_SA_EXPIRED:
			/* who deletes, or wants to when the exchange under way is over, is not
			 * waiting for the peer's consent */
			if (ike_sa && ike_sa->get_state(ike_sa) != IKE_DELETING &&
				!is_delete_queued(ike_sa))
			{
				this->mutex->lock(this->mutex);
				sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
				if (sa)
				{
					sa->lost = TRUE;
				}
				this->mutex->unlock(this->mutex);
			}
			break;
		default:
			break;
	}
	return TRUE;
}

METHOD(listener_t, ike_state_change, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, ike_sa_state_t state)
{
	connection_t *connection;
	bool changed = FALSE;
	sa_t *sa;

	if (state != IKE_DELETING && state != IKE_DESTROYING)
	{
		return TRUE;
	}
	this->mutex->lock(this->mutex);
	sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
	if (sa && state == IKE_DELETING)
	{
		sa->deleting = TRUE;
	}
	else if (sa)
	{
		if (sa->ready)
		{
			connection->lost = this->shutdown || sa->lost ||
							   !(sa->deleting || is_delete_queued(ike_sa));
		}
		connection->sas->remove(connection->sas, sa, NULL);
		destroy_sa(sa);
		changed = update(connection);
	}
	unlock(this, changed);
	return TRUE;
}

METHOD(encdns_connections_t, ask, void,
	private_encdns_connections_t *this, ike_sa_t *ike_sa,
	encdns_config_t *config, encdns_laptop_t *laptop)
{
	uint32_t id = ike_sa->get_unique_id(ike_sa);
	connection_t *connection;
	bool changed = FALSE;
	sa_t *sa;

	this->mutex->lock(this->mutex);
	/* an IKE_SA that tries again asks again */
	sa = find(this, id, &connection);
	if (sa)
	{
		connection->sas->remove(connection->sas, sa, NULL);
		destroy_sa(sa);
		changed = update(connection);
	}
	connection = get_connection(this, ike_sa->get_name(ike_sa));
	INIT(sa,
		.id = id,
		.received = linked_list_create(),
		.state = encdns_state_create(connection->name, config, laptop),
	);
	connection->sas->insert_last(connection->sas, sa);
	unlock(this, changed);
}

METHOD(encdns_connections_t, has_asked, bool,
	private_encdns_connections_t *this, ike_sa_t *ike_sa, uint16_t type)
{
	connection_t *connection;
	bool asked;
	sa_t *sa;

	this->mutex->lock(this->mutex);
	sa = find(this, ike_sa->get_unique_id(ike_sa), &connection);
	asked = sa && is_ours(sa->state->laptop, type);
	this->mutex->unlock(this->mutex);
	return asked;
}

METHOD(encdns_connections_t, get_wishes, linked_list_t*,
	private_encdns_connections_t *this)
{
	linked_list_t *wishes;
	enumerator_t *enumerator;
	connection_t *connection;
	encdns_wish_t *wish;

	wishes = linked_list_create();
	this->mutex->lock(this->mutex);
	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, &connection))
	{
		INIT(wish,
			.connection = strdup(connection->name),
			.generation = connection->generation,
			.state = connection->desired ? encdns_state_ref(connection->desired)
										 : NULL,
			.lost = connection->lost,
		);
		wishes->insert_last(wishes, wish);
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);
	return wishes;
}

METHOD(encdns_connections_t, destroy, void,
	private_encdns_connections_t *this)
{
	this->connections->destroy_function(this->connections,
										(void*)destroy_connection);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
encdns_connections_t *encdns_connections_create(void (*changed)(void *data),
												void *data)
{
	private_encdns_connections_t *this;

	INIT(this,
		.public = {
			.listener = {
				.alert = _alert,
				.ike_state_change = _ike_state_change,
				.message = _message,
				.ike_rekey = _ike_rekey,
				.ike_reestablish_pre = _ike_reestablish_pre,
				.child_updown = _child_updown,
				.child_rekey = _child_rekey,
				.handle_vips = _handle_vips,
			},
			.ask = _ask,
			.has_asked = _has_asked,
			.get_wishes = _get_wishes,
			.destroy = _destroy,
		},
		.connections = linked_list_create(),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.changed = changed,
		.data = data,
	);
	return &this->public;
}
