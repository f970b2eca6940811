#include "encdns_config.h"
#include "encdns_files.h"

#include <stdio.h>

#include <collections/hashtable.h>

#define SECTION "encrypted-dns"

typedef struct private_encdns_config_t private_encdns_config_t;

/**
 * Private data of an encdns_config_t object.
 */
struct private_encdns_config_t {

	/**
	 * Public interface
	 */
	encdns_config_t public;

	/**
	 * encdns_gateway_t*, in the file's order
	 */
	linked_list_t *gateways;

	/**
	 * encdns_laptop_t*, in the file's order
	 */
	linked_list_t *laptops;

	/**
	 * Modification time of the newest file
	 */
	uint64_t time;

	/**
	 * References
	 */
	refcount_t ref;
};

/**
 * What a load works on.
 */
typedef struct {
	settings_t *settings;
	encdns_report_t *report;
	char *folder;
} load_t;

static void destroy_resolver(encdns_resolver_t *resolver)
{
	/* suggestions have some of the options of a resolver, and no others */
	encdns_option_clear(ENCDNS_RESOLVER, resolver);
	free(resolver->name);
	free(resolver);
}

static void destroy_resolvers(linked_list_t *resolvers)
{
	resolvers->destroy_function(resolvers, (void*)destroy_resolver);
}

static void destroy_gateway(encdns_gateway_t *gateway)
{
	encdns_option_clear(ENCDNS_GATEWAY, gateway);
	destroy_resolvers(gateway->resolvers);
	free(gateway->name);
	free(gateway);
}

static void destroy_laptop(encdns_laptop_t *laptop)
{
	encdns_option_clear(ENCDNS_LAPTOP, laptop);
	destroy_resolvers(laptop->suggestions);
	free(laptop->name);
	free(laptop);
}

/**
 * Say what is wrong with a key that no option has.
 */
static void report_unknown(load_t *load, encdns_role_t role, const char *path,
						   const char *key)
{
	const char *meant;

	if (role == ENCDNS_LAPTOP && encdns_option_find(ENCDNS_GATEWAY, key))
	{
		load->report->add(load->report, path, "belongs to what a gateway hands "
						  "out, and that needs resolvers { }");
	}
	else if (role == ENCDNS_GATEWAY && encdns_option_find(ENCDNS_LAPTOP, key))
	{
		load->report->add(load->report, path, "belongs to a laptop's section, "
						  "and this one has resolvers: a gateway's");
	}
	else if ((role == ENCDNS_LAPTOP || role == ENCDNS_GATEWAY) &&
			 encdns_option_find(ENCDNS_RESOLVER, key))
	{
		load->report->add(load->report, path,
						  "belongs into resolvers { NAME { } }");
	}
	else
	{
		meant = encdns_option_guess(role, key);
		load->report->add(load->report, path, "unknown%s%s%s",
						  meant ? ", did you mean \"" : "", meant ?: "",
						  meant ? "\"?" : "");
	}
}

/**
 * Parse one option's value.
 */
static void parse_option(load_t *load, const encdns_option_t *option,
						 const char *path, const char *text, void *section)
{
	encdns_place_t place = {
		.path = path,
		.folder = load->folder,
		.choices = option->choices,
		.report = load->report,
	};

	if (!text || !*text)
	{
		load->report->add(load->report, path, "has no value");
		return;
	}
	option->value->parse(&place, text, section + option->offset);
}

/**
 * Path of something in a section; sections' names may hold anything, so it is cut rather than grown.
 */
static void print_path(char *buf, size_t len, const char *section,
					   const char *key)
{
	snprintf(buf, len, "%s.%s", section, key);
}

/**
 * Read all keys of a section. Section names of user's choice go to settings_t as arguments, never as
 * part of the key: they may hold dots and percent signs.
 */
static void load_options(load_t *load, encdns_role_t role, const char *path,
						 enumerator_t *pairs, void *section)
{
	const encdns_option_t *option;
	hashtable_t *seen;
	char *key, *value, where[512];
	u_int i;

	seen = hashtable_create(hashtable_hash_str, hashtable_equals_str, 8);
	while (pairs->enumerate(pairs, &key, &value))
	{
		print_path(where, sizeof(where), path, key);
		option = encdns_option_find(role, key);
		if (option)
		{
			seen->put(seen, option->name, option->name);
			parse_option(load, option, where, value, section);
		}
		else
		{
			report_unknown(load, role, where, key);
		}
	}
	pairs->destroy(pairs);

	for (i = 0; (option = encdns_option_at(i)); i++)
	{
		if (option->role != role || seen->get(seen, option->name))
		{
			continue;
		}
		print_path(where, sizeof(where), path, option->name);
		if (option->required)
		{
			load->report->add(load->report, where, "is missing");
		}
		else if (option->standard)
		{
			parse_option(load, option, where, option->standard, section);
		}
	}
	seen->destroy(seen);
}

/**
 * Is a protocol identifier in a list?
 */
static bool has_word(linked_list_t *list, const char *word)
{
	enumerator_t *enumerator;
	char *current;
	bool found = FALSE;

	if (!list)
	{
		return FALSE;
	}
	enumerator = list->create_enumerator(list);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = streq(current, word);
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Rules over several options of a resolver.
 */
static void check_resolver(load_t *load, const char *path,
						   encdns_resolver_t *resolver)
{
	bool doh = has_word(resolver->alpn, "h2") || has_word(resolver->alpn, "h3");

	if (doh && !resolver->dohpath)
	{
		load->report->add(load->report, path, "h2 and h3 need a dohpath, "
						  "mostly \"/dns-query{?dns}\"");
	}
	if (!doh && resolver->dohpath && resolver->alpn)
	{
		load->report->add(load->report, path,
						  "a dohpath is for h2 and h3 only");
	}
}

/**
 * Rules over several options of a suggestion.
 */
static void check_suggestion(load_t *load, const char *path,
							 encdns_resolver_t *resolver)
{
	if (!resolver->adn && !resolver->alpn && !resolver->addresses[0].len &&
		!resolver->addresses[1].len)
	{
		load->report->add(load->report, path, "suggests nothing: it needs an "
						  "adn, addresses or an alpn");
	}
}

/**
 * A kind of section that holds resolvers by name.
 */
typedef struct {
	char *section;
	encdns_role_t role;
	void (*check)(load_t *load, const char *path, encdns_resolver_t *resolver);
} collection_t;

static const collection_t resolvers = {
	"resolvers", ENCDNS_RESOLVER, check_resolver
};
static const collection_t suggestions = {
	"suggestions", ENCDNS_SUGGESTION, check_suggestion
};

/**
 * Load the resolvers of a collection in a section.
 */
static void load_collection(load_t *load, const collection_t *collection,
							const char *path, char *name, linked_list_t *list)
{
	encdns_resolver_t *resolver;
	enumerator_t *sections, *pairs;
	char *section, *key, *value, where[256];

	pairs = load->settings->create_key_value_enumerator(load->settings,
								SECTION ".%s.%s", name, collection->section);
	while (pairs->enumerate(pairs, &key, &value))
	{
		snprintf(where, sizeof(where), "%s.%s.%s", path, collection->section, key);
		load->report->add(load->report, where, "belongs into %s { NAME { } }",
						  collection->section);
	}
	pairs->destroy(pairs);

	sections = load->settings->create_section_enumerator(load->settings,
								SECTION ".%s.%s", name, collection->section);
	while (sections->enumerate(sections, &section))
	{
		snprintf(where, sizeof(where), "%s.%s.%s", path, collection->section,
				 section);
		INIT(resolver,
			.name = strdup(section),
		);
		load_options(load, collection->role, where,
					 load->settings->create_key_value_enumerator(load->settings,
						SECTION ".%s.%s.%s", name, collection->section, section),
					 resolver);
		collection->check(load, where, resolver);
		list->insert_last(list, resolver);
	}
	sections->destroy(sections);
}

/**
 * Load the resolvers of a gateway's section.
 */
static void load_resolvers(load_t *load, const char *path, char *name,
						   encdns_gateway_t *gateway)
{
	char where[256];

	load_collection(load, &resolvers, path, name, gateway->resolvers);
	if (!gateway->resolvers->get_count(gateway->resolvers))
	{
		snprintf(where, sizeof(where), "%s.resolvers", path);
		load->report->add(load->report, where, "is empty");
	}
}

/**
 * Anchors are sent behind their domain, so that must be handed out too (RFC 8598, section 4.2).
 */
static void check_anchors(load_t *load, const char *path,
						  encdns_gateway_t *gateway)
{
	enumerator_t *enumerator;
	encdns_anchor_t *anchor;
	char where[256];

	if (!gateway->anchors)
	{
		return;
	}
	snprintf(where, sizeof(where), "%s.trust-anchors", path);
	enumerator = gateway->anchors->create_enumerator(gateway->anchors);
	while (enumerator->enumerate(enumerator, &anchor))
	{
		if (!has_word(gateway->domains, anchor->domain))
		{
			load->report->add(load->report, where,
							  "\"%s\" is not among the domains", anchor->domain);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Report sections that a section does not have.
 *
 * @return			TRUE if there is a section `resolvers`
 */
static bool check_sections(load_t *load, const char *path, char *name)
{
	enumerator_t *sections;
	char *section, where[256];
	bool has_resolvers = FALSE, has_suggestions = FALSE;

	sections = load->settings->create_section_enumerator(load->settings,
														 SECTION ".%s", name);
	while (sections->enumerate(sections, &section))
	{
		if (streq(section, resolvers.section))
		{
			has_resolvers = TRUE;
			continue;
		}
		if (streq(section, suggestions.section))
		{
			has_suggestions = TRUE;
			continue;
		}
		snprintf(where, sizeof(where), "%s.%s", path, section);
		load->report->add(load->report, where, "is no section of this one%s",
						  strncaseeq(section, "resolver", 8) ?
						  ", did you mean \"resolvers\"?" : "");
	}
	sections->destroy(sections);
	if (has_resolvers && has_suggestions)
	{
		snprintf(where, sizeof(where), "%s.%s", path, suggestions.section);
		load->report->add(load->report, where, "belongs to a laptop's section, "
						  "and this one has resolvers: a gateway's");
	}
	return has_resolvers;
}

/**
 * Load encrypted-dns.NAME.
 */
static void load_section(private_encdns_config_t *this, load_t *load, char *name)
{
	encdns_gateway_t *gateway;
	encdns_laptop_t *laptop;
	enumerator_t *pairs;
	char path[192];

	snprintf(path, sizeof(path), SECTION ".%s", name);
	pairs = load->settings->create_key_value_enumerator(load->settings,
														SECTION ".%s", name);
	if (check_sections(load, path, name))
	{
		INIT(gateway,
			.name = strdup(name),
			.resolvers = linked_list_create(),
		);
		load_options(load, ENCDNS_GATEWAY, path, pairs, gateway);
		load_resolvers(load, path, name, gateway);
		check_anchors(load, path, gateway);
		this->gateways->insert_last(this->gateways, gateway);
	}
	else
	{
		INIT(laptop,
			.name = strdup(name),
			.suggestions = linked_list_create(),
		);
		load_options(load, ENCDNS_LAPTOP, path, pairs, laptop);
		load_collection(load, &suggestions, path, name, laptop->suggestions);
		this->laptops->insert_last(this->laptops, laptop);
	}
}

/**
 * Load all sections.
 */
static void load_sections(private_encdns_config_t *this, load_t *load)
{
	enumerator_t *enumerator;
	char *name, *value, path[192];

	enumerator = load->settings->create_key_value_enumerator(load->settings,
															 SECTION);
	while (enumerator->enumerate(enumerator, &name, &value))
	{
		snprintf(path, sizeof(path), SECTION ".%s", name);
		load->report->add(load->report, path,
						  "belongs into " SECTION " { NAME { } }");
	}
	enumerator->destroy(enumerator);

	enumerator = load->settings->create_section_enumerator(load->settings,
														   SECTION);
	while (enumerator->enumerate(enumerator, &name))
	{
		load_section(this, load, name);
	}
	enumerator->destroy(enumerator);
}

METHOD(encdns_config_t, create_gateway_enumerator, enumerator_t*,
	private_encdns_config_t *this)
{
	return this->gateways->create_enumerator(this->gateways);
}

METHOD(encdns_config_t, get_laptop, encdns_laptop_t*,
	private_encdns_config_t *this, const char *connection, bool vip)
{
	enumerator_t *enumerator;
	encdns_laptop_t *current, *found = NULL;

	enumerator = this->laptops->create_enumerator(this->laptops);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		if (current->connections ? has_word(current->connections, connection)
								 : vip)
		{
			found = current;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

METHOD(encdns_config_t, get_time, uint64_t,
	private_encdns_config_t *this)
{
	return this->time;
}

METHOD(encdns_config_t, get_ref, encdns_config_t*,
	private_encdns_config_t *this)
{
	ref_get(&this->ref);
	return &this->public;
}

METHOD(encdns_config_t, destroy, void,
	private_encdns_config_t *this)
{
	if (ref_put(&this->ref))
	{
		this->gateways->destroy_function(this->gateways, (void*)destroy_gateway);
		this->laptops->destroy_function(this->laptops, (void*)destroy_laptop);
		free(this);
	}
}

/**
 * Create one without sections.
 */
static private_encdns_config_t *create_empty(void)
{
	private_encdns_config_t *this;

	INIT(this,
		.public = {
			.create_gateway_enumerator = _create_gateway_enumerator,
			.get_laptop = _get_laptop,
			.get_time = _get_time,
			.get_ref = _get_ref,
			.destroy = _destroy,
		},
		.gateways = linked_list_create(),
		.laptops = linked_list_create(),
		.ref = 1,
	);
	return this;
}

/*
 * Described in header
 */
encdns_config_t *encdns_config_load(const char *file, encdns_report_t *report)
{
	private_encdns_config_t *this = create_empty();
	u_int before = report->get_count(report);
	char *name = strdup(file);
	load_t load = {
		.settings = settings_create_string(""),
		.report = report,
		.folder = path_dirname(file),
	};

	/* settings_create() would hide a syntax error */
	if (load.settings->load_files(load.settings, name, FALSE))
	{
		this->time = encdns_files_newest(file);
		load_sections(this, &load);
	}
	else if (report->get_count(report) == before)
	{
		report->add(report, file, "cannot be read, or is no valid swanctl.conf");
	}
	/* secrets of connections are in there too */
	load.settings->destroy_clear(load.settings);
	free(load.folder);
	free(name);
	if (report->get_count(report) != before)
	{
		_destroy(this);
		return NULL;
	}
	return &this->public;
}

/*
 * Described in header
 */
encdns_config_t *encdns_config_create_empty(void)
{
	return &create_empty()->public;
}
