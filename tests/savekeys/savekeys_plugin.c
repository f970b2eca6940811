/*
 * Writes the keys of IKE_SAs into the file that wireshark decrypts captures with, so that its
 * dissector can tell what was really sent. For tests alone, never installed: who has such a file
 * can read what was meant to be secret.
 *
 * The proposal is the one that the tests agree on, AES-CBC with 128 bit and HMAC_SHA2_256_128.
 */
#include "plugin/compat.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct keys_listener_t keys_listener_t;
typedef struct savekeys_plugin_t savekeys_plugin_t;

struct keys_listener_t {

	/**
	 * Implements listener_t
	 */
	listener_t public;

	/**
	 * The file
	 */
	char *path;
};

struct savekeys_plugin_t {

	/**
	 * Implements plugin_t
	 */
	plugin_t public;

	/**
	 * What hears of the keys
	 */
	keys_listener_t listener;
};

plugin_t *savekeys_plugin_create(void);

extern const char *savekeys_plugin_version;
const char *savekeys_plugin_version = VERSION;

static void write_key(FILE *file, chunk_t key)
{
	chunk_t hex = chunk_to_hex(key, NULL, FALSE);

	fprintf(file, "%.*s,", (int)hex.len, hex.ptr);
	chunk_clear(&hex);
}

METHOD(listener_t, ike_derived_keys, bool,
	keys_listener_t *this, ike_sa_t *ike_sa, chunk_t sk_d, chunk_t sk_ai,
	chunk_t sk_ar, chunk_t sk_ei, chunk_t sk_er, chunk_t sk_pi, chunk_t sk_pr)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	FILE *file;

	file = fopen(this->path, "a");
	if (!file)
	{
		return TRUE;
	}
	fprintf(file, "%016"PRIx64",%016"PRIx64",",
			be64toh(id->get_initiator_spi(id)), be64toh(id->get_responder_spi(id)));
	write_key(file, sk_ei);
	write_key(file, sk_er);
	fprintf(file, "\"AES-CBC-128 [RFC3602]\",");
	write_key(file, sk_ai);
	write_key(file, sk_ar);
	fprintf(file, "\"HMAC_SHA2_256_128 [RFC4868]\"\n");
	fclose(file);
	return TRUE;
}

METHOD(plugin_t, get_name, char*,
	savekeys_plugin_t *this)
{
	return "savekeys";
}

static bool plugin_cb(savekeys_plugin_t *this, plugin_feature_t *feature,
					  bool reg, void *data)
{
	if (reg)
	{
		charon->bus->add_listener(charon->bus, &this->listener.public);
	}
	else
	{
		charon->bus->remove_listener(charon->bus, &this->listener.public);
	}
	return TRUE;
}

METHOD(plugin_t, get_features, int,
	savekeys_plugin_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)plugin_cb, NULL),
			PLUGIN_PROVIDE(CUSTOM, "savekeys"),
	};

	*features = f;
	return countof(f);
}

METHOD(plugin_t, destroy, void,
	savekeys_plugin_t *this)
{
	free(this);
}

plugin_t *savekeys_plugin_create(void)
{
	savekeys_plugin_t *this;

	INIT(this,
		.public = {
			.get_name = _get_name,
			.get_features = _get_features,
			.destroy = _destroy,
		},
		.listener = {
			.public = {
				.ike_derived_keys = _ike_derived_keys,
			},
			.path = lib->settings->get_str(lib->settings,
							"%s.plugins.savekeys.file", "/dev/null", lib->ns),
		},
	);
	return &this->public;
}
