#include "encdns_attribute.h"

/*
 * Described in header
 */
encdns_attribute_t *encdns_attribute_create(uint16_t type, chunk_t value)
{
	encdns_attribute_t *attribute;

	INIT(attribute,
		.type = type,
		.value = chunk_clone(value),
	);
	return attribute;
}

/*
 * Described in header
 */
void encdns_attribute_destroy(encdns_attribute_t *this)
{
	chunk_free(&this->value);
	free(this);
}

/*
 * Described in header
 */
void encdns_attributes_destroy(linked_list_t *attributes)
{
	attributes->destroy_function(attributes, (void*)encdns_attribute_destroy);
}

CALLBACK(next, bool,
	void *unused, enumerator_t *orig, va_list args)
{
	configuration_attribute_type_t *type;
	encdns_attribute_t *attribute;
	chunk_t *value;

	VA_ARGS_VGET(args, type, value);

	if (!orig->enumerate(orig, &attribute))
	{
		return FALSE;
	}
	*type = attribute->type;
	*value = attribute->value;
	return TRUE;
}

CALLBACK(destroy_list, void,
	linked_list_t *attributes)
{
	encdns_attributes_destroy(attributes);
}

/*
 * Described in header
 */
enumerator_t *encdns_attributes_enumerate(linked_list_t *attributes)
{
	return enumerator_create_filter(attributes->create_enumerator(attributes),
									next, attributes, destroy_list);
}
