#include "status.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "wire/attribute.h"
#include "wire/digest.h"
#include "wire/enc_dns.h"
#include "wire/hex.h"
#include "connection_state.h"
#include "json_file.h"
#include "pin_text.h"
#include "util.h"

void announcement_clear(struct announcement *announcement)
{
	free(announcement->version);
	free(announcement->daemon);
	free(announcement->config_file);
	list_free(announcement->config_errors);
	list_free(announcement->links);
	memset(announcement, 0, sizeof(*announcement));
}

static void add_hex(json_object *object, const char *name, const uint8_t *data, size_t length)
{
	char text[2 * DIGEST_LENGTH_MAX + 1];

	hex_encode(span_of(data, length), text);
	for (size_t i = 0; i < 2 * length; i++)
		text[i] = text[i] >= 'A' ? text[i] - 'A' + 'a' : text[i];
	text[2 * length] = '\0';
	json_add_text(object, name, text);
}

static json_object *addresses_to_json(const struct address *addresses, size_t n)
{
	json_object *array = json_object_new_array();
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_string(address_to_text(&addresses[i], text)));
	return array;
}

static json_object *pins_to_json(const struct server *server)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < server->n_pins; i++) {
		char text[PIN_TEXT];

		json_object_array_add(
			array, json_object_new_string(pin_to_text(&server->pins[i], text)));
	}
	return array;
}

const char *server_state_name(enum server_state state)
{
	static const char *const names[] = {
		[SERVER_IDLE] = "idle",
		[SERVER_CONNECTING] = "connecting",
		[SERVER_CONNECTED] = "connected",
		[SERVER_FAILED] = "failed",
		[SERVER_REFUSED] = "refused",
	};

	return names[state];
}

static json_object *server_to_json(const struct connection *connection, size_t index, bool counters)
{
	const struct resolver *resolver = &connection_plan(connection)->resolvers.list[index];
	const struct server *server = &resolver->server;
	json_object *object = json_object_new_object();
	struct server_status status = {};
	bool served = connection_server_status(connection, index, &status);

	json_add_text(object, "adn", server->adn);
	json_add(object, "addresses", addresses_to_json(server->addresses, server->n_addresses));
	json_add_number(object, "port", server->port);
	json_add_text(object, "transport", transport_to_string(server->transport));
	json_add_number(object, "priority", server->priority);
	json_add_text(object, "dohpath", server->dohpath);
	json_add(object, "pins", pins_to_json(server));
	json_add_text(object, "state",
		served               ? server_state_name(status.state)
		: resolver->unusable ? "unusable"
							 : "idle");
	json_add_flag(object, "in-use",
		served && status.preferred && status.state != SERVER_FAILED &&
			status.state != SERVER_REFUSED);
	json_add_text(object, "unusable", resolver->unusable);
	json_add_text(object, "authenticated-by", status.authenticated_by);
	json_add_text(object, "tls-version", status.tls_version);
	json_add_text(object, "last-error", status.last_error);
	if (!counters)
		return object;
	json_add_number(object, "queries", status.queries);
	json_add_number(object, "answers", status.answers);
	json_add_number(object, "failures", status.failures);
	json_add_number(object, "handshake-usec", status.handshake_usec);
	json_add_number(object, "rtt-median-usec", status.rtt_median_usec);
	json_add_number(object, "rtt-p99-usec", status.rtt_p99_usec);
	return object;
}

static json_object *refusals_to_json(const struct refusals *refusals)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < refusals->n; i++) {
		const struct refusal *refusal = &refusals->list[i];
		const char *name = refusal->type >= ENC_DNS_TYPE_MIN ? "INTERNAL_ENC_DNS"
															 : wire_attribute_name(refusal->type);
		json_object *object = json_object_new_object();
		char number[8];

		snprintf(number, sizeof(number), "%u", refusal->type);
		json_add_text(object, "attribute", name ? name : number);
		json_add_text(object, "value", refusal->value);
		json_add_text(object, "why", refusal->why);
		json_object_array_add(array, object);
	}
	return array;
}

static json_object *anchors_to_json(const struct connection *connection)
{
	const struct plan *plan = connection_plan(connection);
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < plan->n_anchors; i++) {
		const struct trust_anchor *anchor = &plan->anchors[i].anchor;
		json_object *object = json_object_new_object();

		json_add_text(object, "domain", plan->anchors[i].domain);
		json_add_number(object, "key-tag", anchor->key_tag);
		json_add_number(object, "algorithm", anchor->algorithm);
		json_add_number(object, "digest-type", anchor->digest_type);
		add_hex(object, "digest", anchor->digest, anchor->digest_length);
		json_add_flag(object, "in-force", connection_anchored(connection));
		json_object_array_add(array, object);
	}
	return array;
}

static json_object *counters_to_json(const struct forwarder *forwarder)
{
	struct forwarder_counters counters = forwarder_counters(forwarder);
	json_object *object = json_object_new_object();

	json_add_number(object, "queries", counters.queries);
	json_add_number(object, "answers", counters.answers);
	json_add_number(object, "servfails", counters.servfails);
	json_add_number(object, "dropped", counters.dropped);
	json_add_number(object, "in-flight", counters.in_flight);
	return object;
}

static void add_servers(json_object *object, const struct connection *connection, bool counters)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < connection_plan(connection)->resolvers.n; i++)
		json_object_array_add(array, server_to_json(connection, i, counters));
	json_add(object, "servers", array);
}

static int connection_to_json(const struct status_input *input, const struct connection *connection,
	bool counters, json_object **ret)
{
	const struct forwarder *forwarder = connection_forwarder(connection);
	const struct request *request = connection_request(connection);
	const struct plan *plan = connection_plan(connection);
	cleanup_free char *reason = NULL, *listen = NULL;
	enum connection_state state;
	json_object *object;
	int r;

	r = connection_judge(connection, input->links, input->anchors, input->fitness, &state, &reason);
	if (r < 0)
		return r;
	if (forwarder)
		set_text(&listen, "127.0.0.1:%u", forwarder_port(forwarder));
	object = json_object_new_object();
	json_add_text(object, "name", connection_name(connection));
	json_add_text(object, "state", connection_state_name(state));
	json_add_flag(object, "in-force", state == STATE_IN_FORCE);
	json_add_text(object, "reason", reason);
	json_add_text(object, "mode", plan->full ? "full" : "split");
	json_add_text(
		object, "family-outside", plan->family_outside ? family_name(plan->family_outside) : NULL);
	json_add_text(object, "link", connection_link(connection));
	json_add_text(object, "on-disconnect",
		connection_blocks(connection) ? "block" : "release");
	json_add_number(object, "ifindex", connection_ifindex(connection));
	json_add_number(object, "guard-ifindex", connection_guard(connection));
	json_add_text(object, "listen", listen);
	json_add_text(object, "gateway", request->gateway);
	json_add(
		object, "virtual-ips", addresses_to_json(request->virtual_ips, request->n_virtual_ips));
	json_add(object, "domains", json_list(plan->domains));
	add_servers(object, connection, counters);
	json_add_text(object, "ca-certificates", request->policy.ca_certificates);
	json_add(object, "refused", refusals_to_json(&plan->refusals));
	json_add_number(object, "refused-left-out", plan->refusals.n_left_out);
	json_add_flag(object, "validated", connection_anchors(connection) != NULL);
	json_add(object, "trust-anchors", anchors_to_json(connection));
	json_add(object, "insecure-domains", json_list(plan->insecure));
	if (counters)
		json_add(object, "counters", forwarder ? counters_to_json(forwarder) : NULL);
	*ret = object;
	return 0;
}

static json_object *link_domains_to_json(const struct link_domains *domains)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < domains->n; i++) {
		cleanup_free char *text = NULL;

		set_text(&text, "%s%s", domains->list[i].route_only ? "~" : "", domains->list[i].name);
		json_object_array_add(array, json_object_new_string(text ? text : ""));
	}
	return array;
}

static json_object *links_to_json(const struct links *links)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; links && i < links_n(links); i++) {
		const struct other_link *other = links_at(links, i);
		json_object *object = json_object_new_object();

		json_add_text(object, "link", other->name);
		json_add_number(object, "ifindex", other->ifindex);
		json_add(object, "domains", link_domains_to_json(&other->base));
		json_add(object, "left", link_domains_to_json(&other->set));
		json_add_text(object, "through", other->networkd ? "systemd-networkd" : "systemd-resolved");
		json_add_text(object, "failure", other->failure);
		json_object_array_add(array, object);
	}
	return array;
}

static uint64_t changed_usec(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

/* swanctl --load-all calls no plugin, so a file that was edited may not have been read. */
static bool is_stale(const struct announcement *announcement)
{
	return announcement->config_file && announcement->config_time_usec > 0 &&
		   changed_usec(announcement->config_file) > announcement->config_time_usec;
}

static json_object *plugin_to_json(const struct announcement *announcement, json_object *warnings)
{
	json_object *object;

	if (!announcement)
		return NULL;
	object = json_object_new_object();
	json_add_text(object, "version", announcement->version);
	json_add_text(object, "daemon", announcement->daemon);
	json_add_text(object, "config-file", announcement->config_file);
	json_add(object, "config-errors", json_list(announcement->config_errors));
	json_add_flag(object, "stale", is_stale(announcement));
	for (size_t i = 0; announcement->config_errors && announcement->config_errors[i]; i++)
		json_object_array_add(warnings, json_object_new_string(announcement->config_errors[i]));
	if (is_stale(announcement))
		json_object_array_add(warnings,
			json_object_new_string(
				"swanctl.conf is newer than what strongSwan loaded: swanctl --reload-settings"));
	return object;
}

int status_describe(const struct status_input *input, bool counters, char **ret)
{
	const struct fitness *fitness = input->fitness;
	cleanup_json json_object *root = json_object_new_object();
	json_object *resolved = json_object_new_object(), *warnings = json_object_new_array();
	json_object *connections = json_object_new_array(), *connection;
	char *text;
	int r;

	json_add_text(root, "version", PACKAGE_VERSION);
	json_add_flag(resolved, "fit", fitness->problem == NULL);
	json_add_text(resolved, "problem", fitness->problem);
	json_add_text(resolved, "warning", fitness->warning);
	json_add(root, "resolved", resolved);
	json_add(root, "plugin", plugin_to_json(input->announcement, warnings));
	json_add(root, "warnings", warnings);
	json_add(root, "other-links", links_to_json(input->links));
	json_add(root, "connections", connections);
	for (size_t i = 0; i < input->n_connections; i++) {
		r = connection_to_json(input, input->connections[i], counters, &connection);
		if (r < 0)
			return r;
		json_object_array_add(connections, connection);
	}
	text = strdup(json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
