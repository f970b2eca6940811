#include "encdns_plugin.h"
#include "encdns_bus.h"
#include "encdns_connections.h"
#include "encdns_current.h"
#include "encdns_handler.h"
#include "encdns_provider.h"

typedef struct private_encdns_plugin_t private_encdns_plugin_t;

/**
 * Private data of the plugin.
 */
struct private_encdns_plugin_t {

	/**
	 * Implements plugin_t
	 */
	plugin_t public;

	/**
	 * The configuration in force
	 */
	encdns_current_t *current;

	/**
	 * Gateway's side: hears what clients ask for
	 */
	encdns_requests_t *requests;

	/**
	 * Gateway's side: answers
	 */
	encdns_provider_t *provider;

	/**
	 * Laptop's side: what is desired
	 */
	encdns_connections_t *connections;

	/**
	 * Laptop's side: asks
	 */
	encdns_handler_t *handler;

	/**
	 * Laptop's side: carries out
	 */
	encdns_bus_t *bus;
};

const char *encdns_plugin_version = VERSION;

METHOD(plugin_t, get_name, char*,
	private_encdns_plugin_t *this)
{
	return "encdns";
}

/**
 * A wish has changed.
 */
static void wake(void *data)
{
	private_encdns_plugin_t *this = data;

	this->bus->wake(this->bus);
}

/**
 * Register, or undo it in reverse order.
 */
static bool plugin_cb(private_encdns_plugin_t *this, plugin_feature_t *feature,
					  bool reg, void *data)
{
	if (reg)
	{
		this->current->load(this->current);
		if (!this->bus->start(this->bus, this->connections))
		{
			return FALSE;
		}
		charon->bus->add_listener(charon->bus, &this->requests->listener);
		charon->bus->add_listener(charon->bus, &this->connections->listener);
		charon->attributes->add_provider(charon->attributes,
										 &this->provider->provider);
		charon->attributes->add_handler(charon->attributes,
										&this->handler->handler);
	}
	else
	{
		charon->attributes->remove_handler(charon->attributes,
										   &this->handler->handler);
		charon->attributes->remove_provider(charon->attributes,
											&this->provider->provider);
		charon->bus->remove_listener(charon->bus,
									 &this->connections->listener);
		charon->bus->remove_listener(charon->bus, &this->requests->listener);
	}
	return TRUE;
}

METHOD(plugin_t, get_features, int,
	private_encdns_plugin_t *this, plugin_feature_t *features[])
{
	/* what loading the configuration needs must be there before us */
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)plugin_cb, NULL),
			PLUGIN_PROVIDE(CUSTOM, "encdns"),
				PLUGIN_SDEPEND(CERT_DECODE, CERT_X509),
				PLUGIN_SDEPEND(HASHER, HASH_SHA256),
				PLUGIN_SDEPEND(HASHER, HASH_SHA384),
				PLUGIN_SDEPEND(HASHER, HASH_SHA512),
				PLUGIN_SDEPEND(PUBKEY, KEY_RSA),
				PLUGIN_SDEPEND(PUBKEY, KEY_ECDSA),
				PLUGIN_SDEPEND(PUBKEY, KEY_ED25519),
	};

	*features = f;
	return countof(f);
}

METHOD(plugin_t, reload, bool,
	private_encdns_plugin_t *this)
{
	bool fine = this->current->load(this->current);

	this->bus->announce(this->bus);
	return fine;
}

METHOD(plugin_t, destroy, void,
	private_encdns_plugin_t *this)
{
	/* its thread uses what follows */
	DESTROY_IF(this->bus);
	DESTROY_IF(this->handler);
	DESTROY_IF(this->connections);
	DESTROY_IF(this->provider);
	DESTROY_IF(this->requests);
	this->current->destroy(this->current);
	free(this);
}

/*
 * Described in header
 */
plugin_t *encdns_plugin_create(void)
{
	private_encdns_plugin_t *this;

	INIT(this,
		.public = {
			.get_name = _get_name,
			.get_features = _get_features,
			.reload = _reload,
			.destroy = _destroy,
		},
		.current = encdns_current_create(lib->settings->get_str(lib->settings,
							"%s.plugins.encdns.config", SWANCTL_CONF, lib->ns)),
	);
	this->bus = encdns_bus_create(this->current);
	if (!this->bus)
	{
		destroy(this);
		return NULL;
	}
	this->connections = encdns_connections_create(wake, this);
	this->handler = encdns_handler_create(this->current, this->connections);
	this->requests = encdns_requests_create();
	this->provider = encdns_provider_create(this->current, this->requests);
	return &this->public;
}
