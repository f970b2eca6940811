#include "encdns_provider.h"
#include "encdns_answer.h"

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
	 * What clients have asked for
	 */
	encdns_requests_t *requests;
};

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
	request = this->requests->take(this->requests, ike_sa);
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
	free(this);
}

/*
 * Described in header
 */
encdns_provider_t *encdns_provider_create(encdns_current_t *current,
										  encdns_requests_t *requests)
{
	private_encdns_provider_t *this;

	INIT(this,
		.public = {
			.provider = {
				.acquire_address = _acquire_address,
				.release_address = _release_address,
				.create_attribute_enumerator = _create_attribute_enumerator,
			},
			.destroy = _destroy,
		},
		.current = current,
		.requests = requests,
	);
	return &this->public;
}
