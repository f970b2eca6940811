#include "request_bus.h"

#include <errno.h>
#include <string.h>
#include "wire/dohpath.h"
#include "wire/enc_dns.h"
#include "wire/name.h"
#include "bounds.h"
#include "bus_message.h"
#include "state_file.h"
#include "util.h"

struct property;

/* What the properties of one message are read into. */
struct target {
	void *object; /* request or announcement */
	const struct property *table;
	char fault[128]; /* what is wrong with the message; "": nothing, or memory is short */
};

/* Reads one value into the object's field. */
typedef int (*reader_t)(sd_bus_message *message, void *field, struct target *target);

struct property {
	const char *name, *type;
	reader_t read;
	size_t offset;
};

static int fault(struct target *target, const char *text)
{
	snprintf(target->fault, sizeof(target->fault), "%s", text);
	return -EINVAL;
}

static bool is_plain(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

bool request_name_is_valid(const char *name)
{
	return *name && strlen(name) <= LIMIT_CONNECTION_NAME && is_plain(name);
}

static int replace_text(char **field, const char *text, struct target *target)
{
	char *copy;

	if (strlen(text) > LIMIT_TEXT || !is_plain(text))
		return fault(target, "no text of a sane length without control characters");
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int read_text(sd_bus_message *message, void *field, struct target *target)
{
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	return r < 0 ? r : replace_text(field, text, target);
}

/* The responder's identity comes from the peer: shown as it is where it can be. */
static int read_peer_text(sd_bus_message *message, void *field, struct target *target)
{
	cleanup_free char *safe = NULL;
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	if (r < 0)
		return r;
	if (strlen(text) <= LIMIT_CONNECTION_NAME && is_plain(text))
		return replace_text(field, text, target);
	safe = readable(text, strlen(text));
	return safe ? replace_text(field, safe, target) : -ENOMEM;
}

static int read_link(sd_bus_message *message, void *field, struct target *target)
{
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	if (r < 0)
		return r;
	if (!state_file_is_link(text))
		return fault(target, "no name of a link of ours (encdns0)");
	return replace_text(field, text, target);
}

static int read_ifindex(sd_bus_message *message, void *field, struct target *target)
{
	int r, ifindex;

	r = sd_bus_message_read(message, "i", &ifindex);
	if (r < 0)
		return r;
	if (ifindex <= 0)
		return fault(target, "no index of a link");
	*(int *)field = ifindex;
	return 0;
}

static int read_flag(sd_bus_message *message, void *field, struct target *target)
{
	int r, flag;

	r = sd_bus_message_read(message, "b", &flag);
	if (r >= 0)
		*(bool *)field = flag;
	return r < 0 ? r : 0;
}

static int read_time(sd_bus_message *message, void *field, struct target *target)
{
	int r;

	r = sd_bus_message_read(message, "t", (uint64_t *)field);
	return r < 0 ? r : 0;
}

static int read_private_type(sd_bus_message *message, void *field, struct target *target)
{
	uint16_t type;
	int r;

	r = sd_bus_message_read(message, "q", &type);
	if (r < 0)
		return r;
	if (type < ENC_DNS_TYPE_MIN || type > ENC_DNS_TYPE_MAX)
		return fault(target, "no private-use attribute type");
	*(uint16_t *)field = type;
	return 0;
}

static int read_dohpath(sd_bus_message *message, void *field, struct target *target)
{
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	if (r < 0)
		return r;
	if (dohpath_check(span_from_string(text), NULL) < 0)
		return fault(target, "no URI template for DoH");
	return replace_text(field, text, target);
}

/* A word of two, the second of which means true. */
static int read_choice(
	sd_bus_message *message, void *field, struct target *target, const char *no, const char *yes)
{
	const char *word;
	int r;

	r = sd_bus_message_read(message, "s", &word);
	if (r < 0)
		return r;
	if (strcmp(word, no) != 0 && strcmp(word, yes) != 0) {
		snprintf(target->fault, sizeof(target->fault), "neither \"%s\" nor \"%s\"", no, yes);
		return -EINVAL;
	}
	*(bool *)field = strcmp(word, yes) == 0;
	return 0;
}

static int read_without_domains(sd_bus_message *message, void *field, struct target *target)
{
	return read_choice(message, field, target, "nothing", "everything");
}

static int read_on_disconnect(sd_bus_message *message, void *field, struct target *target)
{
	return read_choice(message, field, target, "release", "block");
}

/* The end of an array, of which r says how far it was read: the list takes the field's place. */
static int finish_list(sd_bus_message *message, int r, char ***list, char ***field)
{
	if (r >= 0)
		r = sd_bus_message_exit_container(message);
	if (r < 0)
		return r;
	list_free(*field);
	*field = steal(*list);
	return 0;
}

static int read_list(sd_bus_message *message, void *field, struct target *target)
{
	cleanup_list char **list = NULL;
	const char *text;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(message, "s", &text)) > 0) {
		if (list_length(list) >= LIMIT_LIST || strlen(text) > LIMIT_TEXT || !is_plain(text))
			return fault(target, "no list of a sane length");
		r = list_add(&list, text);
	}
	return finish_list(message, r, &list, field);
}

/* Those without a connection are left out: they are nobody's, or not ours. */
static int read_links(sd_bus_message *message, void *field, struct target *target)
{
	cleanup_list char **list = NULL;
	const char *link, *connection;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "(ss)");
	while (r >= 0 && (r = sd_bus_message_read(message, "(ss)", &link, &connection)) > 0) {
		if (list_length(list) >= LIMIT_LIST)
			return fault(target, "no list of a sane length");
		if (!state_file_is_link(link) || !request_name_is_valid(connection))
			continue;
		r = list_add(&list, link);
		if (r >= 0)
			r = list_add(&list, connection);
	}
	return finish_list(message, r, &list, field);
}

/* What the connection is configured with may be addresses and ranges, too: they are left out. */
static int read_hosts(sd_bus_message *message, void *field, struct target *target)
{
	struct known_hosts *hosts = field;
	cleanup_list char **texts = NULL, **names = NULL;
	char name[NAME_SIZE];
	int r;

	r = read_list(message, &texts, target);
	for (size_t i = 0; r >= 0 && texts && texts[i]; i++)
		if (name_normalise(span_from_string(texts[i]), NAME_HOST, name, NULL) >= 0)
			r = list_add(&names, name);
	if (r < 0)
		return r;
	list_free(hosts->names);
	hosts->names = steal(names);
	return 0;
}

/* That it is there limits the domains, be it empty (I22). */
static int read_accept_domains(sd_bus_message *message, void *field, struct target *target)
{
	struct policy *policy = field;
	int r;

	r = read_list(message, &policy->accept_domains, target);
	if (r >= 0)
		policy->limits_domains = true;
	return r;
}

static int read_address(sd_bus_message *message, struct address *ret, struct target *target)
{
	const void *octets;
	size_t length;
	int r;

	r = sd_bus_message_read_array(message, 'y', &octets, &length);
	if (r < 0)
		return r;
	return address_from_bytes(octets, length, ret) < 0
			   ? fault(target, "an address has neither 4 nor 16 octets")
			   : 0;
}

static int read_gateway_address(sd_bus_message *message, void *field, struct target *target)
{
	return read_address(message, field, target);
}

static int read_virtual_ips(sd_bus_message *message, void *field, struct target *target)
{
	struct request *request = field;
	int r;

	free(request->virtual_ips);
	request->n_virtual_ips = 0;
	request->virtual_ips = calloc(LIMIT_VIRTUAL_IPS, sizeof(*request->virtual_ips));
	if (!request->virtual_ips)
		return -ENOMEM;
	r = sd_bus_message_enter_container(message, 'a', "ay");
	while (r >= 0 && (r = sd_bus_message_at_end(message, false)) == 0) {
		if (request->n_virtual_ips >= LIMIT_VIRTUAL_IPS)
			return fault(target, "more addresses than any host has");
		r = read_address(message, &request->virtual_ips[request->n_virtual_ips], target);
		if (r >= 0)
			request->n_virtual_ips++;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int add_selector(struct request *request, const struct address *first,
	const struct address *last, struct target *target)
{
	struct range *grown;

	if (request->n_selectors >= LIMIT_SELECTORS)
		return fault(target, "more ranges than any policy has");
	grown = reallocarray(request->selectors, request->n_selectors + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	request->selectors = grown;
	if (range_make(first, last, &grown[request->n_selectors]) < 0)
		return fault(target, "a range ends before it begins, or in another family");
	request->n_selectors++;
	return 0;
}

static int read_selectors(sd_bus_message *message, void *field, struct target *target)
{
	struct request *request = field;
	struct address first, last;
	int r;

	request->n_selectors = 0;
	r = sd_bus_message_enter_container(message, 'a', "(ayay)");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "ayay")) > 0) {
		r = read_address(message, &first, target);
		if (r >= 0)
			r = read_address(message, &last, target);
		if (r >= 0)
			r = add_selector(request, &first, &last, target);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int add_attribute(
	struct request *request, uint16_t type, const void *value, size_t length, struct target *target)
{
	struct attribute *grown;

	if (request->n_attributes >= LIMIT_ATTRIBUTES || length > UINT16_MAX)
		return fault(target, "more than a CFG_REPLY holds");
	grown = reallocarray(request->attributes, request->n_attributes + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	request->attributes = grown;
	grown += request->n_attributes;
	grown->type = type;
	grown->length = length;
	grown->value = malloc(length ? length : 1);
	if (!grown->value)
		return -ENOMEM;
	if (length > 0)
		memcpy(grown->value, value, length);
	request->n_attributes++;
	return 0;
}

static int read_attributes(sd_bus_message *message, void *field, struct target *target)
{
	struct request *request = field;
	const void *value;
	uint16_t type;
	size_t length;
	int r;

	if (request->attributes)
		return fault(target, "it is there twice");
	r = sd_bus_message_enter_container(message, 'a', "(qay)");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "qay")) > 0) {
		r = sd_bus_message_read(message, "q", &type);
		if (r >= 0)
			r = sd_bus_message_read_array(message, 'y', &value, &length);
		if (r >= 0)
			r = add_attribute(request, type, value, length, target);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_algorithms(sd_bus_message *message, void *field, struct target *target)
{
	struct request *request = field;
	const void *numbers;
	uint16_t *copy;
	size_t length;
	int r;

	r = sd_bus_message_read_array(message, 'q', &numbers, &length);
	if (r < 0)
		return r;
	if (length / sizeof(*copy) > LIMIT_ALGORITHMS)
		return fault(target, "more algorithms than a request holds");
	copy = malloc(length ? length : 1);
	if (!copy)
		return -ENOMEM;
	if (length > 0)
		memcpy(copy, numbers, length);
	free(request->algorithms);
	request->algorithms = copy;
	request->n_algorithms = length / sizeof(*copy);
	return 0;
}

#define FIELD(name) offsetof(struct request, name)
#define POLICY(name) offsetof(struct request, policy.name)

static const struct property request_properties[] = {
	{"link", "s", read_link, FIELD(link)},
	{"ifindex", "i", read_ifindex, FIELD(ifindex)},
	{"virtual-ips", "aay", read_virtual_ips, 0},
	{"selectors", "a(ayay)", read_selectors, 0},
	{"attributes", "a(qay)", read_attributes, 0},
	{"requested-algorithms", "aq", read_algorithms, 0},
	{"gateway", "s", read_peer_text, FIELD(gateway)},
	{"gateway-names", "as", read_hosts, FIELD(gateway_hosts)},
	{"gateway-address", "ay", read_gateway_address, FIELD(gateway_hosts.address)},
	{"anonymous", "b", read_flag, FIELD(anonymous)},
	{"accept-domains", "as", read_accept_domains, FIELD(policy)},
	{"without-domains", "s", read_without_domains, POLICY(everything)},
	{"accept-trust-anchors", "as", read_list, POLICY(accept_trust_anchors)},
	{"insecure-domains", "as", read_list, POLICY(insecure_domains)},
	{"require-encrypted", "b", read_flag, POLICY(require_encrypted)},
	{"resolvers-outside-tunnel", "b", read_flag, POLICY(resolvers_outside_tunnel)},
	{"organization", "s", read_text, POLICY(organization)},
	{"on-disconnect", "s", read_on_disconnect, POLICY(block_on_disconnect)},
	{"internal-enc-dns", "q", read_private_type, POLICY(enc_dns)},
	{"dohpath", "s", read_dohpath, POLICY(dohpath)},
	{"ca-certificates", "s", read_text, POLICY(ca_certificates)},
	{},
};

#define ANNOUNCED(name) offsetof(struct announcement, name)

static const struct property announcement_properties[] = {
	{"version", "s", read_text, ANNOUNCED(version)},
	{"daemon", "s", read_text, ANNOUNCED(daemon)},
	{"config-file", "s", read_text, ANNOUNCED(config_file)},
	{"config-time", "t", read_time, ANNOUNCED(config_time_usec)},
	{"config-errors", "as", read_list, ANNOUNCED(config_errors)},
	{"links", "a(ss)", read_links, ANNOUNCED(links)},
	{},
};

static int read_property(
	sd_bus_message *message, const char *name, const char *type, void *userdata)
{
	struct target *target = userdata;
	const struct property *property = target->table;
	char what[sizeof(target->fault)];
	int r;

	while (property->name && strcmp(property->name, name) != 0)
		property++;
	if (!property->name)
		return sd_bus_message_skip(message, type);
	if (strcmp(property->type, type) != 0) {
		snprintf(target->fault, sizeof(target->fault), "%s: its type is not %s", property->name,
			property->type);
		return -EINVAL;
	}
	r = property->read(message, (char *)target->object + property->offset, target);
	if (r < 0 && target->fault[0]) {
		memcpy(what, target->fault, sizeof(what));
		snprintf(target->fault, sizeof(target->fault), "%s: %.90s", property->name, what);
	}
	return r;
}

static int read_all(
	sd_bus_message *message, const struct property *table, void *object, sd_bus_error *error)
{
	struct target target = {.object = object, .table = table};
	int r;

	r = bus_message_read_properties(message, read_property, &target);
	if (r < 0 && target.fault[0])
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s", target.fault);
	return r;
}

int request_read(sd_bus_message *message, struct request *ret, sd_bus_error *error)
{
	struct request request = {};
	const char *name;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r < 0)
		return r;
	if (!request_name_is_valid(name))
		return sd_bus_error_setf(
			error, SD_BUS_ERROR_INVALID_ARGS, "that is no name of a connection");
	request.connection = strdup(name);
	r = request.connection ? read_all(message, request_properties, &request, error) : -ENOMEM;
	if (r >= 0 && (!request.link || request.ifindex == 0))
		r = sd_bus_error_setf(
			error, SD_BUS_ERROR_INVALID_ARGS, "link and ifindex: they cannot be left out");
	if (r < 0) {
		request_clear(&request);
		return r;
	}
	if (request.gateway_hosts.address.family == 0)
		request.gateway_hosts.names = list_free(request.gateway_hosts.names);
	*ret = request;
	return 0;
}

int announcement_read(sd_bus_message *message, struct announcement *ret, sd_bus_error *error)
{
	struct announcement announcement = {};
	int r;

	r = read_all(message, announcement_properties, &announcement, error);
	if (r < 0) {
		announcement_clear(&announcement);
		return r;
	}
	*ret = announcement;
	return 0;
}
