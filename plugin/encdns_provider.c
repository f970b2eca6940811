#include "encdns_provider.h"
#include "encdns_answer.h"
#include "encdns_request.h"

#include <collections/hashtable.h>
#include <encoding/payloads/cp_payload.h>
#include <threading/mutex.h>

typedef struct private_encdns_provider_t private_encdns_provider_t;

/**
 * Private data of an encdns_provider_t object.
 */
struct private_encdns_provider_t {

	/**
	 * Public interface
	 */
	encdns_provider_t public;

	/**
	 * The configuration in force
	 */
	encdns_current_t *current;

	/**
	 * Requests, unique ID of the IKE_SA (as pointer) => encdns_request_t*
	 */
	hashtable_t *requests;

	/**
	 * Lock for the above
	 */
	mutex_t *mutex;
};

/**
 * An IKE_SA's key in the table.
 */
static void *key_of(ike_sa_t *ike_sa)
{
	return (void*)(uintptr_t)ike_sa->get_unique_id(ike_sa);
}

/**
 * Read a CFG_REQUEST.
 */
static encdns_request_t *read_request(cp_payload_t *cp)
{
	configuration_attribute_t *attribute;
	encdns_request_t *request;
	enumerator_t *enumerator;

	request = encdns_request_create();
	enumerator = cp->create_attribute_enumerator(cp);
	while (enumerator->enumerate(enumerator, &attribute))
	{
		request->add(request, attribute->get_type(attribute),
					 attribute->get_chunk(attribute));
	}
	enumerator->destroy(enumerator);
	return request;
}

/**
 * METHOD serves the first interface of an object; this gets from the second one,
 * the listener, to the object.
 */
static private_encdns_provider_t *of_listener(listener_t *listener)
{
	return (private_encdns_provider_t*)((char*)listener -
							offsetof(private_encdns_provider_t, public.listener));
}

/**
 * Implementation of listener_t.message
 */
static bool message(listener_t *listener, ike_sa_t *ike_sa, message_t *message,
					bool incoming, bool plain)
{
	private_encdns_provider_t *this = of_listener(listener);
	encdns_request_t *request;
	cp_payload_t *cp;

	if (!incoming || !plain || !message->get_request(message) ||
		message->get_exchange_type(message) != IKE_AUTH)
	{
		return TRUE;
	}
	cp = (cp_payload_t*)message->get_payload(message, PLV2_CONFIGURATION);
	if (!cp || cp->get_type(cp) != CFG_REQUEST)
	{
		return TRUE;
	}
	request = read_request(cp);
	this->mutex->lock(this->mutex);
	/* as strongSwan does, only the first one counts */
	if (!this->requests->get(this->requests, key_of(ike_sa)))
	{
		request = this->requests->put(this->requests, key_of(ike_sa), request);
	}
	this->mutex->unlock(this->mutex);
	DESTROY_IF(request);
	return TRUE;
}

/**
 * Implementation of listener_t.ike_state_change
 */
static bool ike_state_change(listener_t *listener, ike_sa_t *ike_sa,
							 ike_sa_state_t state)
{
	private_encdns_provider_t *this = of_listener(listener);
	encdns_request_t *request;

	if (state == IKE_DESTROYING)
	{
		this->mutex->lock(this->mutex);
		request = this->requests->remove(this->requests, key_of(ike_sa));
		this->mutex->unlock(this->mutex);
		DESTROY_IF(request);
	}
	return TRUE;
}

METHOD(attribute_provider_t, acquire_address, host_t*,
	private_encdns_provider_t *this, linked_list_t *pools, ike_sa_t *ike_sa,
	host_t *requested)
{
	return NULL;
}

METHOD(attribute_provider_t, release_address, bool,
	private_encdns_provider_t *this, linked_list_t *pools, host_t *address,
	ike_sa_t *ike_sa)
{
	return FALSE;
}

/**
 * The sections that are for a client.
 */
static linked_list_t *match(encdns_config_t *config, linked_list_t *pools,
							ike_sa_t *ike_sa)
{
	linked_list_t *gateways;
	enumerator_t *enumerator;
	encdns_gateway_t *gateway;

	gateways = linked_list_create();
	enumerator = config->create_gateway_enumerator(config);
	while (enumerator->enumerate(enumerator, &gateway))
	{
		if (encdns_answer_matches(gateway, pools, ike_sa->get_name(ike_sa),
								  ike_sa->get_other_eap_id(ike_sa)))
		{
			gateways->insert_last(gateways, gateway);
		}
	}
	enumerator->destroy(enumerator);
	return gateways;
}

/**
 * Answer what an IKE_SA's client asked for.
 */
static linked_list_t *answer(private_encdns_provider_t *this,
							 encdns_request_t *request, linked_list_t *pools,
							 ike_sa_t *ike_sa)
{
	linked_list_t *gateways, *attributes;
	encdns_config_t *config;

	if (request->is_flooding(request))
	{
		DBG1(DBG_CFG, "encdns: handing out nothing to '%Y', its request repeats "
			 "attributes too often", ike_sa->get_other_eap_id(ike_sa));
		return linked_list_create();
	}
	config = this->current->get(this->current);
	gateways = match(config, pools, ike_sa);
	attributes = encdns_answer_create(request, gateways);
	gateways->destroy(gateways);
	config->destroy(config);
	if (attributes->get_count(attributes))
	{
		DBG1(DBG_CFG, "encdns: handing out %d attributes to '%Y'",
			 attributes->get_count(attributes),
			 ike_sa->get_other_eap_id(ike_sa));
	}
	return attributes;
}

METHOD(attribute_provider_t, create_attribute_enumerator, enumerator_t*,
	private_encdns_provider_t *this, linked_list_t *pools, ike_sa_t *ike_sa,
	linked_list_t *vips)
{
	encdns_request_t *request;
	linked_list_t *attributes;

	if (ike_sa->get_version(ike_sa) != IKEV2)
	{
		return enumerator_create_empty();
	}
	this->mutex->lock(this->mutex);
	request = this->requests->remove(this->requests, key_of(ike_sa));
	this->mutex->unlock(this->mutex);
	if (!request)
	{
		return enumerator_create_empty();
	}
	attributes = answer(this, request, pools, ike_sa);
	request->destroy(request);
	return encdns_attributes_enumerate(attributes);
}

METHOD(encdns_provider_t, destroy, void,
	private_encdns_provider_t *this)
{
	enumerator_t *enumerator;
	encdns_request_t *request;
	void *key;

	enumerator = this->requests->create_enumerator(this->requests);
	while (enumerator->enumerate(enumerator, &key, &request))
	{
		request->destroy(request);
	}
	enumerator->destroy(enumerator);
	this->requests->destroy(this->requests);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
encdns_provider_t *encdns_provider_create(encdns_current_t *current)
{
	private_encdns_provider_t *this;

	INIT(this,
		.public = {
			.provider = {
				.acquire_address = _acquire_address,
				.release_address = _release_address,
				.create_attribute_enumerator = _create_attribute_enumerator,
			},
			.listener = {
				.message = message,
				.ike_state_change = ike_state_change,
			},
			.destroy = _destroy,
		},
		.current = current,
		.requests = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, 32),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	return &this->public;
}
