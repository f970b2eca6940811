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

	clone = encdns_state_create(this->connection, this->config, this->laptop);
	clone->gateway = strdupnull(this->gateway);
	clone->anonymous = this->anonymous;
	clone->vips->destroy(clone->vips);
	clone->vips = this->vips->clone_offset(this->vips, offsetof(host_t, clone));

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
		this->vips->destroy_offset(this->vips, offsetof(host_t, destroy));
		this->ranges->destroy_function(this->ranges, free);
		encdns_attributes_destroy(this->attributes);
		this->config->destroy(this->config);
		free(this->connection);
		free(this->gateway);
		free(this);
	}
}
