#include "resolved.h"

#include <errno.h>
#include <string.h>
#include "bus_message.h"
#include "util.h"

#define RESOLVED_PATH "/org/freedesktop/resolve1"
#define RESOLVED_MANAGER "org.freedesktop.resolve1.Manager"
#define RESOLVED_LINK "org.freedesktop.resolve1.Link"

#define SCOPE_DNS 1 /* in ScopesMask */

/* Three calls in a row, as a Remove takes, stay within the ten seconds that the plugin waits. */
#define CALL_TIMEOUT_USEC (3 * UINT64_C(1000000))

void resolved_link_clear(struct resolved_link *link)
{
	link_domains_clear(&link->domains);
	list_free(link->insecure);
	memset(link, 0, sizeof(*link));
}

void resolved_overview_clear(struct resolved_overview *overview)
{
	for (size_t i = 0; i < overview->n_domains; i++)
		free(overview->domains[i].domain.name);
	free(overview->domains);
	free(overview->servers);
	memset(overview, 0, sizeof(*overview));
}

static int new_call(
	sd_bus *bus, const char *path, const char *interface, const char *method, sd_bus_message **ret)
{
	int r;

	r = sd_bus_message_new_method_call(bus, ret, RESOLVED_NAME, path, interface, method);
	return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static int new_manager_call(sd_bus *bus, const char *method, sd_bus_message **ret)
{
	return new_call(bus, RESOLVED_PATH, RESOLVED_MANAGER, method, ret);
}

static int call(sd_bus *bus, sd_bus_message *message, sd_bus_message_handler_t done, void *userdata,
	sd_bus_slot **ret_slot)
{
	int r;

	r = sd_bus_call_async(bus, ret_slot, message, done, userdata, CALL_TIMEOUT_USEC);
	return r < 0 ? r : 0;
}

int resolved_read_link(
	sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_free char *path = NULL;
	char number[16];
	int r;

	snprintf(number, sizeof(number), "%d", ifindex);
	r = sd_bus_path_encode(RESOLVED_PATH "/link", number, &path);
	if (r >= 0)
		r = new_call(bus, path, "org.freedesktop.DBus.Properties", "GetAll", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "s", RESOLVED_LINK);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_read_overview(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_call(bus, RESOLVED_PATH, "org.freedesktop.DBus.Properties", "GetAll", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "s", RESOLVED_MANAGER);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

static int read_servers(sd_bus_message *message, struct resolved_link *link)
{
	const void *octets;
	size_t length;
	uint16_t port;
	int family, r;

	r = sd_bus_message_enter_container(message, 'a', "(iayqs)");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "iayqs")) > 0) {
		r = sd_bus_message_read(message, "i", &family);
		if (r >= 0)
			r = sd_bus_message_read_array(message, 'y', &octets, &length);
		if (r >= 0)
			r = sd_bus_message_read(message, "q", &port);
		if (r >= 0)
			r = sd_bus_message_skip(message, "s");
		if (r >= 0 && link->n_servers++ == 0) {
			r = address_from_bytes(octets, length, &link->server);
			link->port = port;
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_domains(sd_bus_message *message, struct link_domains *domains)
{
	int r, route_only;
	const char *name;

	r = sd_bus_message_enter_container(message, 'a', "(sb)");
	while (r >= 0 && (r = sd_bus_message_read(message, "(sb)", &name, &route_only)) > 0)
		r = link_domains_add(domains, name, route_only);
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_flag(sd_bus_message *message, bool *ret)
{
	int r, flag;

	r = sd_bus_message_read(message, "b", &flag);
	if (r >= 0)
		*ret = flag;
	return r;
}

/* *ret: whether it is this mode. */
static int read_mode(sd_bus_message *message, const char *mode, bool *ret)
{
	const char *value;
	int r;

	r = sd_bus_message_read(message, "s", &value);
	if (r >= 0)
		*ret = strcmp(value, mode) == 0;
	return r;
}

static int read_strings(sd_bus_message *message, char ***list)
{
	const char *text;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(message, "s", &text)) > 0)
		r = list_add(list, text);
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_not_no(sd_bus_message *message, bool *ret)
{
	bool no;
	int r;

	r = read_mode(message, "no", &no);
	if (r >= 0)
		*ret = !no;
	return r;
}

static int read_scopes(sd_bus_message *message, struct resolved_link *link)
{
	uint64_t mask;
	int r;

	r = sd_bus_message_read(message, "t", &mask);
	if (r >= 0)
		link->has_scope = mask & SCOPE_DNS;
	return r;
}

static int read_link_property(
	sd_bus_message *message, const char *name, const char *type, void *userdata)
{
	struct resolved_link *link = userdata;

	if (strcmp(name, "ScopesMask") == 0)
		return read_scopes(message, link);
	if (strcmp(name, "DNSEx") == 0)
		return read_servers(message, link);
	if (strcmp(name, "Domains") == 0)
		return read_domains(message, &link->domains);
	if (strcmp(name, "DefaultRoute") == 0)
		return read_flag(message, &link->default_route);
	if (strcmp(name, "LLMNR") == 0)
		return read_not_no(message, &link->llmnr);
	if (strcmp(name, "MulticastDNS") == 0)
		return read_not_no(message, &link->mdns);
	if (strcmp(name, "DNSOverTLS") == 0)
		return read_not_no(message, &link->dns_over_tls);
	if (strcmp(name, "DNSSEC") == 0)
		return read_mode(message, "yes", &link->dnssec);
	if (strcmp(name, "DNSSECNegativeTrustAnchors") == 0)
		return read_strings(message, &link->insecure);
	return sd_bus_message_skip(message, type);
}

int resolved_parse_link(sd_bus_message *reply, struct resolved_link *ret)
{
	struct resolved_link link = {};
	int r;

	r = bus_message_read_properties(reply, read_link_property, &link);
	if (r < 0) {
		resolved_link_clear(&link);
		return r;
	}
	*ret = link;
	return 0;
}

static int read_all_domains(sd_bus_message *message, struct resolved_overview *overview)
{
	struct overview_domain *grown;
	int r, ifindex, route_only;
	const char *name;
	char *copy;

	r = sd_bus_message_enter_container(message, 'a', "(isb)");
	while (
		r >= 0 && (r = sd_bus_message_read(message, "(isb)", &ifindex, &name, &route_only)) > 0) {
		grown = reallocarray(overview->domains, overview->n_domains + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		overview->domains = grown;
		copy = strdup(*name ? name : ".");
		if (!copy)
			return -ENOMEM;
		grown[overview->n_domains++] = (struct overview_domain){
			.ifindex = ifindex,
			.domain = {.name = copy, .route_only = route_only},
		};
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_all_servers(sd_bus_message *message, struct resolved_overview *overview)
{
	int r, ifindex, *grown;

	r = sd_bus_message_enter_container(message, 'a', "(iiay)");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "iiay")) > 0) {
		r = sd_bus_message_read(message, "i", &ifindex);
		if (r >= 0)
			r = sd_bus_message_skip(message, "iay");
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
		grown = reallocarray(overview->servers, overview->n_servers + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		overview->servers = grown;
		grown[overview->n_servers++] = ifindex;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_overview_property(
	sd_bus_message *message, const char *name, const char *type, void *userdata)
{
	struct resolved_overview *overview = userdata;

	if (strcmp(name, "Domains") == 0)
		return read_all_domains(message, overview);
	if (strcmp(name, "DNS") == 0)
		return read_all_servers(message, overview);
	if (strcmp(name, "DNSStubListener") == 0)
		return read_not_no(message, &overview->stub);
	return sd_bus_message_skip(message, type);
}

int resolved_parse_overview(sd_bus_message *reply, struct resolved_overview *ret)
{
	struct resolved_overview overview = {};
	int r;

	r = bus_message_read_properties(reply, read_overview_property, &overview);
	if (r < 0) {
		resolved_overview_clear(&overview);
		return r;
	}
	*ret = overview;
	return 0;
}

int resolved_set_dns(sd_bus *bus, int ifindex, const struct address *server, uint16_t port,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "SetLinkDNSEx", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "i", ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(iayqs)");
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'r', "iayqs");
	if (r >= 0)
		r = sd_bus_message_append(message, "i", server->family);
	if (r >= 0)
		r = sd_bus_message_append_array(message, 'y', server->bytes, address_length(server));
	if (r >= 0)
		r = sd_bus_message_append(message, "qs", port, "");
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_set_domains(sd_bus *bus, int ifindex, const struct link_domains *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "SetLinkDomains", &message);
	if (r >= 0)
		r = bus_message_append_domains(message, ifindex, domains);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_set_default_route(sd_bus *bus, int ifindex, bool enable, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "SetLinkDefaultRoute", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "ib", ifindex, enable);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_turn_off(sd_bus *bus, int ifindex, const char *method, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, method, &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "is", ifindex, "no");
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_set_dnssec(sd_bus *bus, int ifindex, bool yes, sd_bus_message_handler_t done,
	void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "SetLinkDNSSEC", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "is", ifindex, yes ? "yes" : "");
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_set_insecure(sd_bus *bus, int ifindex, char *const *domains,
	sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "SetLinkDNSSECNegativeTrustAnchors", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "i", ifindex);
	if (r >= 0)
		r = sd_bus_message_append_strv(message, (char **)domains);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_revert(
	sd_bus *bus, int ifindex, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "RevertLink", &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "i", ifindex);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}

int resolved_flush_caches(
	sd_bus *bus, sd_bus_message_handler_t done, void *userdata, sd_bus_slot **ret_slot)
{
	cleanup_message sd_bus_message *message = NULL;
	int r;

	r = new_manager_call(bus, "FlushCaches", &message);
	return r < 0 ? r : call(bus, message, done, userdata, ret_slot);
}
