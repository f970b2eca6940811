#include "encdns_apply.h"

#include <errno.h>
#include <stdio.h>

/**
 * Open a property whose value is to be appended next, "a{sv}" being open.
 */
static int open_property(sd_bus_message *message, const char *name,
						 const char *type)
{
	int ret;

	ret = sd_bus_message_open_container(message, 'e', "sv");
	if (ret >= 0)
	{
		ret = sd_bus_message_append_basic(message, 's', name);
	}
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'v', type);
	}
	return ret;
}

/**
 * Close a property.
 */
static int close_property(sd_bus_message *message)
{
	int ret;

	ret = sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

/**
 * Append a string that is for people. The bus takes nothing that is not UTF-8: then all that is not
 * ASCII goes as '?'.
 */
static int append_text(sd_bus_message *message, const char *text)
{
	char *clean, *pos;
	int ret;

	ret = sd_bus_message_append_basic(message, 's', text);
	if (ret == -EINVAL)
	{
		clean = strdup(text);
		for (pos = clean; *pos; pos++)
		{
			*pos = *pos & 0x80 ? '?' : *pos;
		}
		ret = sd_bus_message_append_basic(message, 's', clean);
		free(clean);
	}
	return ret;
}

static int append_string(sd_bus_message *message, const char *name,
						 const char *value)
{
	int ret;

	ret = open_property(message, name, "s");
	if (ret >= 0)
	{
		ret = append_text(message, value);
	}
	return ret < 0 ? ret : close_property(message);
}

static int append_bool(sd_bus_message *message, const char *name, bool value)
{
	return sd_bus_message_append(message, "{sv}", name, "b", (int)value);
}

/**
 * Append a list of char*; none at all where there is no list.
 */
static int append_strings(sd_bus_message *message, const char *name,
						  linked_list_t *strings)
{
	enumerator_t *enumerator;
	char *string;
	int ret;

	if (!strings)
	{
		return 0;
	}
	ret = open_property(message, name, "as");
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'a', "s");
	}
	enumerator = strings->create_enumerator(strings);
	while (ret >= 0 && enumerator->enumerate(enumerator, &string))
	{
		ret = append_text(message, string);
	}
	enumerator->destroy(enumerator);
	if (ret >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : close_property(message);
}

static int append_vips(sd_bus_message *message, linked_list_t *vips)
{
	enumerator_t *enumerator;
	chunk_t address;
	host_t *vip;
	int ret;

	ret = open_property(message, "virtual-ips", "aay");
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'a', "ay");
	}
	enumerator = vips->create_enumerator(vips);
	while (ret >= 0 && enumerator->enumerate(enumerator, &vip))
	{
		address = vip->get_address(vip);
		ret = sd_bus_message_append_array(message, 'y', address.ptr, address.len);
	}
	enumerator->destroy(enumerator);
	if (ret >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : close_property(message);
}

static int append_gateway_address(sd_bus_message *message, host_t *host)
{
	chunk_t address;
	int ret;

	if (!host)
	{
		return 0;
	}
	address = host->get_address(host);
	ret = open_property(message, "gateway-address", "ay");
	if (ret >= 0)
	{
		ret = sd_bus_message_append_array(message, 'y', address.ptr, address.len);
	}
	return ret < 0 ? ret : close_property(message);
}

/**
 * Append a range as two arrays of octets.
 */
static int append_range(sd_bus_message *message, encdns_range_t *range)
{
	size_t len = range->family == AF_INET ? 4 : 16;
	int ret;

	ret = sd_bus_message_open_container(message, 'r', "ayay");
	if (ret >= 0)
	{
		ret = sd_bus_message_append_array(message, 'y', range->first, len);
	}
	if (ret >= 0)
	{
		ret = sd_bus_message_append_array(message, 'y', range->last, len);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int append_ranges(sd_bus_message *message, linked_list_t *ranges)
{
	enumerator_t *enumerator;
	encdns_range_t *range;
	int ret;

	ret = open_property(message, "selectors", "a(ayay)");
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'a', "(ayay)");
	}
	enumerator = ranges->create_enumerator(ranges);
	while (ret >= 0 && enumerator->enumerate(enumerator, &range))
	{
		ret = append_range(message, range);
	}
	enumerator->destroy(enumerator);
	if (ret >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : close_property(message);
}

/**
 * Append an attribute of the reply.
 */
static int append_attribute(sd_bus_message *message,
							encdns_attribute_t *attribute)
{
	int ret;

	ret = sd_bus_message_open_container(message, 'r', "qay");
	if (ret >= 0)
	{
		ret = sd_bus_message_append_basic(message, 'q', &attribute->type);
	}
	if (ret >= 0)
	{
		ret = sd_bus_message_append_array(message, 'y', attribute->value.ptr,
										  attribute->value.len);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int append_attributes(sd_bus_message *message, linked_list_t *attributes)
{
	enumerator_t *enumerator;
	encdns_attribute_t *attribute;
	int ret;

	ret = open_property(message, "attributes", "a(qay)");
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'a', "(qay)");
	}
	enumerator = attributes->create_enumerator(attributes);
	while (ret >= 0 && enumerator->enumerate(enumerator, &attribute))
	{
		ret = append_attribute(message, attribute);
	}
	enumerator->destroy(enumerator);
	if (ret >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : close_property(message);
}

static int append_algorithms(sd_bus_message *message,
							 struct digest_request *algorithms)
{
	int ret;

	ret = open_property(message, "requested-algorithms", "aq");
	if (ret >= 0)
	{
		ret = sd_bus_message_append_array(message, 'q', algorithms->algorithms,
				algorithms->n_algorithms * sizeof(algorithms->algorithms[0]));
	}
	return ret < 0 ? ret : close_property(message);
}

/**
 * Append what the section says.
 */
static int append_policy(sd_bus_message *message, encdns_laptop_t *laptop)
{
	int ret;

	if ((ret = append_algorithms(message, &laptop->algorithms)) < 0 ||
		(ret = append_strings(message, "accept-domains",
							  laptop->accept_domains)) < 0 ||
		(ret = append_string(message, "without-domains",
							 laptop->without_domains)) < 0 ||
		(ret = append_strings(message, "accept-trust-anchors",
							  laptop->accept_anchors)) < 0 ||
		(ret = append_strings(message, "insecure-domains",
							  laptop->insecure_domains)) < 0 ||
		(ret = append_bool(message, "require-encrypted",
						   laptop->require_encrypted)) < 0 ||
		(ret = append_bool(message, "resolvers-outside-tunnel",
						   laptop->outside_tunnel)) < 0 ||
		(ret = append_string(message, "on-disconnect",
							 laptop->on_disconnect)) < 0)
	{
		return ret;
	}
	if (laptop->organization &&
		(ret = append_string(message, "organization",
							 laptop->organization)) < 0)
	{
		return ret;
	}
	if (laptop->enc_dns &&
		((ret = sd_bus_message_append(message, "{sv}", "internal-enc-dns", "q",
									  laptop->enc_dns)) < 0 ||
		 (ret = append_string(message, "dohpath",
							   laptop->dohpath ?: "/dns-query{?dns}")) < 0))
	{
		return ret;
	}
	if (laptop->ca_file &&
		(ret = append_string(message, "ca-certificates", laptop->ca_file)) < 0)
	{
		return ret;
	}
	return 0;
}

/*
 * Described in header
 */
int encdns_apply_append(sd_bus_message *message, encdns_state_t *state,
						encdns_link_t *link)
{
	int ret;

	if ((ret = sd_bus_message_open_container(message, 'a', "{sv}")) < 0 ||
		(ret = append_string(message, "link", link->name)) < 0 ||
		(ret = sd_bus_message_append(message, "{sv}", "ifindex", "i",
									 link->index)) < 0 ||
		(ret = append_vips(message, state->vips)) < 0 ||
		(ret = append_ranges(message, state->ranges)) < 0 ||
		(ret = append_attributes(message, state->attributes)) < 0 ||
		(ret = append_string(message, "gateway", state->gateway ?: "")) < 0 ||
		(ret = append_strings(message, "gateway-names",
							  state->gateway_names)) < 0 ||
		(ret = append_gateway_address(message, state->gateway_address)) < 0 ||
		(ret = append_bool(message, "anonymous", state->anonymous)) < 0 ||
		(ret = append_policy(message, state->laptop)) < 0)
	{
		return ret;
	}
	return sd_bus_message_close_container(message);
}

/**
 * Append the links that are there.
 */
static int append_links(sd_bus_message *message)
{
	linked_list_t *links;
	enumerator_t *enumerator;
	encdns_link_t *link;
	int ret;

	ret = encdns_link_list(&links);
	if (ret < 0)
	{
		return ret;
	}
	ret = open_property(message, "links", "a(ss)");
	if (ret >= 0)
	{
		ret = sd_bus_message_open_container(message, 'a', "(ss)");
	}
	enumerator = links->create_enumerator(links);
	while (ret >= 0 && enumerator->enumerate(enumerator, &link))
	{
		ret = sd_bus_message_open_container(message, 'r', "ss");
		if (ret >= 0)
		{
			ret = append_text(message, link->name);
		}
		if (ret >= 0)
		{
			ret = append_text(message, link->connection);
		}
		if (ret >= 0)
		{
			ret = sd_bus_message_close_container(message);
		}
	}
	enumerator->destroy(enumerator);
	links->destroy_function(links, free);
	if (ret >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : close_property(message);
}

/*
 * Described in header
 */
int encdns_announce_append(sd_bus_message *message, encdns_current_t *current)
{
	encdns_config_t *config;
	linked_list_t *errors;
	char daemon[128];
	uint64_t time;
	int ret;

	config = current->get(current);
	time = config->get_time(config);
	config->destroy(config);
	errors = current->get_errors(current);
	snprintf(daemon, sizeof(daemon), "%s %s", lib->ns, VERSION);

	if ((ret = sd_bus_message_open_container(message, 'a', "{sv}")) >= 0 &&
		(ret = append_string(message, "version", PACKAGE_VERSION)) >= 0 &&
		(ret = append_string(message, "daemon", daemon)) >= 0 &&
		(ret = append_string(message, "config-file",
							 current->get_file(current))) >= 0 &&
		(ret = sd_bus_message_append(message, "{sv}", "config-time", "t",
									 time)) >= 0 &&
		(ret = append_strings(message, "config-errors", errors)) >= 0 &&
		(ret = append_links(message)) >= 0)
	{
		ret = sd_bus_message_close_container(message);
	}
	errors->destroy_function(errors, free);
	return ret;
}
