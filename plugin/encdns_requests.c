#include "encdns_requests.h"

#include <collections/hashtable.h>
#include <encoding/payloads/cp_payload.h>
#include <threading/mutex.h>

typedef struct private_encdns_requests_t private_encdns_requests_t;

/**
 * Private data of an encdns_requests_t object.
 */
struct private_encdns_requests_t {

	/**
	 * Public interface
	 */
	encdns_requests_t public;

	/**
	 * Unique ID of the IKE_SA (as pointer) => encdns_request_t*
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

METHOD(listener_t, message, bool,
	private_encdns_requests_t *this, ike_sa_t *ike_sa, message_t *message,
	bool incoming, bool plain)
{
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

METHOD(encdns_requests_t, take, encdns_request_t*,
	private_encdns_requests_t *this, ike_sa_t *ike_sa)
{
	encdns_request_t *request;

	this->mutex->lock(this->mutex);
	request = this->requests->remove(this->requests, key_of(ike_sa));
	this->mutex->unlock(this->mutex);
	return request;
}

METHOD(listener_t, ike_state_change, bool,
	private_encdns_requests_t *this, ike_sa_t *ike_sa, ike_sa_state_t state)
{
	encdns_request_t *request;

	if (state == IKE_DESTROYING)
	{
		request = take(this, ike_sa);
		DESTROY_IF(request);
	}
	return TRUE;
}

METHOD(encdns_requests_t, destroy, void,
	private_encdns_requests_t *this)
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
encdns_requests_t *encdns_requests_create(void)
{
	private_encdns_requests_t *this;

	INIT(this,
		.public = {
			.listener = {
				.message = _message,
				.ike_state_change = _ike_state_change,
			},
			.take = _take,
			.destroy = _destroy,
		},
		.requests = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, 32),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	return &this->public;
}
