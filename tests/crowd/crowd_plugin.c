/*
 * What a crowd of laptops asks a gateway for, from one charon and at next to no cost, so that what is
 * measured is the gateway. For tests alone, never installed.
 *
 * Every reload writes a file: how many attributes have come so far.
 */
#include "plugin/compat.h"

#include <stdio.h>
#include <attributes/attribute_handler.h>

#include "wire/attribute.h"

typedef struct crowd_plugin_t crowd_plugin_t;

struct crowd_plugin_t {

	/**
	 * Implements plugin_t
	 */
	plugin_t public;

	/**
	 * What asks
	 */
	attribute_handler_t handler;

	/**
	 * Attributes that have come
	 */
	refcount_t received;

	/**
	 * The file
	 */
	char *path;
};

/** The hash algorithms of RFC 9464's example: SHA2-256, 384 and 512 */
static uint8_t algorithms[] = { 3, 0, 0, 2, 0, 3, 0, 4 };

static struct {
	uint16_t type;
	chunk_t data;
} asked[] = {
	{ INTERNAL_IP4_DNS, {} },
	{ WIRE_INTERNAL_DNS_DOMAIN, {} },
	{ WIRE_ENCDNS_IP4, {} },
	{ WIRE_ENCDNS_DIGEST_INFO, { algorithms, sizeof(algorithms) } },
};

plugin_t *crowd_plugin_create(void);

extern const char *crowd_plugin_version;
const char *crowd_plugin_version = VERSION;

typedef struct {
	enumerator_t public;
	int next;
} asked_enumerator_t;

METHOD(enumerator_t, enumerate_asked, bool,
	asked_enumerator_t *this, va_list args)
{
	configuration_attribute_type_t *type;
	chunk_t *data;

	VA_ARGS_VGET(args, type, data);
	if (this->next == countof(asked))
	{
		return FALSE;
	}
	*type = asked[this->next].type;
	*data = asked[this->next].data;
	this->next++;
	return TRUE;
}

METHOD(attribute_handler_t, create_attribute_enumerator, enumerator_t*,
	attribute_handler_t *this, ike_sa_t *ike_sa, linked_list_t *vips)
{
	asked_enumerator_t *enumerator;

	INIT(enumerator,
		.public = {
			.enumerate = enumerator_enumerate_default,
			.venumerate = _enumerate_asked,
			.destroy = (void*)free,
		},
	);
	return &enumerator->public;
}

METHOD(attribute_handler_t, handle, bool,
	attribute_handler_t *this, ike_sa_t *ike_sa,
	configuration_attribute_type_t type, chunk_t data)
{
	crowd_plugin_t *plugin = (crowd_plugin_t*)((char*)this -
										offsetof(crowd_plugin_t, handler));

	ref_get(&plugin->received);
	return TRUE;
}

METHOD(attribute_handler_t, release, void,
	attribute_handler_t *this, ike_sa_t *ike_sa,
	configuration_attribute_type_t type, chunk_t data)
{
}

METHOD(plugin_t, get_name, char*,
	crowd_plugin_t *this)
{
	return "crowd";
}

static bool plugin_cb(crowd_plugin_t *this, plugin_feature_t *feature,
					  bool reg, void *data)
{
	if (reg)
	{
		charon->attributes->add_handler(charon->attributes, &this->handler);
	}
	else
	{
		charon->attributes->remove_handler(charon->attributes, &this->handler);
	}
	return TRUE;
}

METHOD(plugin_t, get_features, int,
	crowd_plugin_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)plugin_cb, NULL),
			PLUGIN_PROVIDE(CUSTOM, "crowd"),
	};

	*features = f;
	return countof(f);
}

METHOD(plugin_t, reload, bool,
	crowd_plugin_t *this)
{
	FILE *file = fopen(this->path, "w");

	if (file)
	{
		fprintf(file, "%u\n", this->received);
		fclose(file);
	}
	return TRUE;
}

METHOD(plugin_t, destroy, void,
	crowd_plugin_t *this)
{
	free(this);
}

plugin_t *crowd_plugin_create(void)
{
	crowd_plugin_t *this;

	INIT(this,
		.public = {
			.get_name = _get_name,
			.get_features = _get_features,
			.reload = _reload,
			.destroy = _destroy,
		},
		.handler = {
			.create_attribute_enumerator = _create_attribute_enumerator,
			.handle = _handle,
			.release = _release,
		},
		.path = lib->settings->get_str(lib->settings, "%s.plugins.crowd.file",
									   "/dev/null", lib->ns),
	);
	return &this->public;
}
