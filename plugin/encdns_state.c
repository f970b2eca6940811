#include "encdns_state.h"

/*
 * Described in header
 */
encdns_state_t *encdns_state_create(const char *connection,
									encdns_config_t *config,
									encdns_laptop_t *laptop)
{
	encdns_state_t *this;

	INIT(this,
		.connection = strdup(connection),
		.config = config->get_ref(config),
		.laptop = laptop,
		.gateway_names = linked_list_create(),
		.vips = linked_list_create(),
		.ranges = linked_list_create(),
		.attributes = linked_list_create(),
		.ref = 1,
	);
	return this;
}

/*
 * Described in header
 */
void encdns_state_set_gateway_hosts(encdns_state_t *this, ike_sa_t *ike_sa)
{
	enumerator_t *enumerator;
	ike_cfg_t *config;
	host_t *host;
	char *name;

	config = ike_sa->get_ike_cfg(ike_sa);
	host = ike_sa->get_other_host(ike_sa);
	if (!config || !host || host->is_anyaddr(host))
	{
		return;
	}
	this->gateway_address = host->clone(host);
	enumerator = enumerator_create_token(config->get_other_addr(config), ",",
										 " ");
	while (enumerator->enumerate(enumerator, &name))
	{
		this->gateway_names->insert_last(this->gateway_names, strdup(name));
	}
	enumerator->destroy(enumerator);
}

/*
 * Described in header
 */
encdns_state_t *encdns_state_ref(encdns_state_t *this)
{
	ref_get(&this->ref);
	return this;
}

/*
 * Described in header
 */
encdns_state_t *encdns_state_clone(encdns_state_t *this)
{
	encdns_state_t *clone;
	encdns_attribute_t *attribute;
	encdns_range_t *range;
	enumerator_t *enumerator;
	char *name;

	clone = encdns_state_create(this->connection, this->config, this->laptop);
	clone->gateway = strdupnull(this->gateway);
	if (this->gateway_address)
	{
		clone->gateway_address = this->gateway_address->clone(
													this->gateway_address);
	}
	clone->anonymous = this->anonymous;
	clone->vips->destroy(clone->vips);
	clone->vips = this->vips->clone_offset(this->vips, offsetof(host_t, clone));

	enumerator = this->gateway_names->create_enumerator(this->gateway_names);
	while (enumerator->enumerate(enumerator, &name))
	{
		clone->gateway_names->insert_last(clone->gateway_names, strdup(name));
	}
	enumerator->destroy(enumerator);

	enumerator = this->ranges->create_enumerator(this->ranges);
	while (enumerator->enumerate(enumerator, &range))
	{
		clone->ranges->insert_last(clone->ranges,
							chunk_clone(chunk_from_thing(*range)).ptr);
	}
	enumerator->destroy(enumerator);

	enumerator = this->attributes->create_enumerator(this->attributes);
	while (enumerator->enumerate(enumerator, &attribute))
	{
		clone->attributes->insert_last(clone->attributes,
				encdns_attribute_create(attribute->type, attribute->value));
	}
	enumerator->destroy(enumerator);
	return clone;
}

/*
 * Described in header
 */
void encdns_state_put(encdns_state_t *this)
{
	if (this && ref_put(&this->ref))
	{
		this->gateway_names->destroy_function(this->gateway_names, free);
		DESTROY_IF(this->gateway_address);
		this->vips->destroy_offset(this->vips, offsetof(host_t, destroy));
		this->ranges->destroy_function(this->ranges, free);
		encdns_attributes_destroy(this->attributes);
		this->config->destroy(this->config);
		free(this->connection);
		free(this->gateway);
		free(this);
	}
}
