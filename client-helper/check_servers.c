/*
 * The resolvers of a connection, each asked on its own as encdnsd would, and answers on the way
 * that programs take.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "address.h"
#include "json_file.h"
#include "probe.h"
#include "util.h"
#include "wire/digest.h"

static int read_addresses(
	json_object *object, const char *name, struct address **ret, size_t *ret_n)
{
	json_object *array = json_get_array(object, name);
	size_t n = array ? json_object_array_length(array) : 0;
	struct address *addresses = calloc(n + 1, sizeof(*addresses));

	if (!addresses)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (address_from_text(
				json_object_get_string(json_object_array_get_idx(array, i)), &addresses[i]) < 0) {
			free(addresses);
			return -EBADMSG;
		}
	*ret = addresses;
	*ret_n = n;
	return 0;
}

static int read_pins(json_object *object, struct server *server)
{
	json_object *array = json_get_array(object, "pins");
	size_t n = array ? json_object_array_length(array) : 0;

	server->pins = calloc(n + 1, sizeof(*server->pins));
	if (!server->pins)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(array, i));
		struct pin *pin = &server->pins[server->n_pins];
		const struct digest_algorithm *algorithm;

		if (digest_parse(span_from_string(text), &algorithm, pin->digest, NULL) < 0)
			return -EBADMSG;
		pin->algorithm = algorithm->id;
		pin->length = algorithm->length;
		server->n_pins++;
	}
	return 0;
}

static int read_server(json_object *object, struct server *ret)
{
	static const enum transport transports[] = {TRANSPORT_PLAIN, TRANSPORT_DOT, TRANSPORT_DOH};
	const char *transport = json_get_text(object, "transport");
	const char *adn = json_get_text(object, "adn"), *dohpath = json_get_text(object, "dohpath");
	struct server server = {
		.port = (uint16_t)json_get_number(object, "port"),
		.priority = (uint16_t)json_get_number(object, "priority"),
	};
	int r;

	for (size_t i = 0; i < ELEMENTS(transports); i++)
		if (transport && strcmp(transport_to_string(transports[i]), transport) == 0)
			server.transport = transports[i];
	r = read_addresses(object, "addresses", &server.addresses, &server.n_addresses);
	if (r >= 0)
		r = read_pins(object, &server);
	if (r >= 0 && adn)
		set_text(&server.adn, "%s", adn);
	if (r >= 0 && dohpath)
		set_text(&server.dohpath, "%s", dohpath);
	if (r < 0) {
		server_clear(&server);
		return r;
	}
	*ret = server;
	return 0;
}

/* "dns.corp.example (DoT, 10.20.0.53)" */
static char *title_of(json_object *object)
{
	const char *adn = json_get_text(object, "adn");
	json_object *addresses = json_get_array(object, "addresses");
	char *text = NULL;

	set_text(&text, "%s (%s, %s%s)", adn ? adn : "plain DNS", json_get_text(object, "transport"),
		json_object_get_string(json_object_array_get_idx(addresses, 0)),
		json_object_array_length(addresses) > 1 ? " ..." : "");
	return text;
}

static const char *advice_for(const char *error)
{
	static const struct {
		const char *part, *advice;
	} table[] = {
		{"expired", "renew the resolver's certificate"},
		{"not valid before", "see that this machine's clock is right"},
		{"is not for",
			"give the resolver a certificate for its adn, or correct adn on the gateway"},
		{"digest", "correct certificates or pins on the gateway: encdnsctl pin there"},
		{"trust store", "trust its authority (update-ca-certificates, or ca-certificates in "
						"swanctl.conf), or let the gateway hand out digests"},
		{"itself", "let the gateway hand out digests: certificates in encdns.conf(5)"},
	};

	for (size_t i = 0; error && i < ELEMENTS(table); i++)
		if (strstr(error, table[i].part))
			return table[i].advice;
	return "see that the resolver runs, and that the gateway lets packets through to it";
}

static void tell_result(struct check *check, const char *title, const struct probe_result *result)
{
	const char *error = result->error ? result->error : "no answer";

	if (result->answered && result->rcode != 2)
		check_fine(check, "%s answers%s%s%s", title, result->tls_version ? ", " : "",
			result->tls_version ? result->tls_version : "",
			!result->tls_version ? ""
			: result->pinned     ? ", known by its digest"
								 : ", known by its certificate");
	else if (result->answered)
		check_broken(check, "look into the resolver's own log",
			"%s is reached, but it cannot answer: SERVFAIL", title);
	else
		check_broken(check, advice_for(error), "%s: %s", title, error);
}

static const char *first_domain(struct check *check)
{
	json_object *domains = json_get_array(check->connection, "domains");

	return domains && json_object_array_length(domains) > 0
			   ? json_object_get_string(json_object_array_get_idx(domains, 0))
			   : ".";
}

static void check_server(struct check *check, json_object *object)
{
	cleanup_free char *title = title_of(object);
	cleanup_free struct address *sources = NULL;
	struct server server = {};
	struct probe probe = {
		.server = &server,
		.ca_certificates = json_get_text(check->connection, "ca-certificates"),
		.name = first_domain(check),
	};
	struct probe_result result = {};
	int r;

	if (json_get_text(object, "unusable")) {
		check_warn(check, "correct it on the gateway", "%s is not used: %s", title,
			json_get_text(object, "unusable"));
		return;
	}
	r = read_addresses(check->connection, "virtual-ips", &sources, &probe.n_virtual_ips);
	probe.virtual_ips = sources;
	if (r >= 0)
		r = read_server(object, &server);
	if (r >= 0)
		r = probe_run(&probe, &result);
	if (r < 0)
		check_warn(check, NULL, "%s cannot be asked: %s", title, strerror(-r));
	else
		tell_result(check, title, &result);
	probe_result_clear(&result);
	server_clear(&server);
}

void check_servers(struct check *check)
{
	json_object *servers = json_get_array(check->connection, "servers");

	if (strcmp(json_get_text(check->connection, "state"), "blocked") == 0)
		return;
	for (size_t i = 0; servers && i < json_object_array_length(servers); i++)
		check_server(check, json_object_array_get_idx(servers, i));
}

/* ---- answers ---- */

static void check_domain(
	struct check *check, const struct address *address, uint16_t port, const char *domain)
{
	int rcode = -1, r;

	r = probe_listener(address, port, domain, &rcode);
	if (r < 0)
		check_broken(check, "systemctl status encdnsd.service",
			"encdnsd cannot be asked for %s: %s", domain, strerror(-r));
	else if (rcode < 0)
		check_broken(
			check, "systemctl status encdnsd.service", "encdnsd does not answer for %s", domain);
	else if (rcode == 2)
		check_broken(
			check, "see what is said of its resolvers above", "names in %s fail: SERVFAIL", domain);
	else if (rcode == 5)
		check_broken(check, "let the resolver answer to the gateway's clients",
			"the resolvers refuse to answer for %s", domain);
	else
		check_fine(check, "names in %s are answered", domain);
}

void check_answers(struct check *check)
{
	json_object *domains = json_get_array(check->connection, "domains");
	const char *listen = json_get_text(check->connection, "listen");
	char text[ADDRESS_TEXT] = "", *colon;
	struct address address;

	if (!listen || strcmp(json_get_text(check->connection, "state"), "blocked") == 0)
		return;
	snprintf(text, sizeof(text), "%s", listen);
	colon = strrchr(text, ':');
	if (!colon)
		return;
	*colon = '\0';
	if (address_from_text(text, &address) < 0)
		return;
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++)
		check_domain(check, &address, (uint16_t)atoi(colon + 1),
			json_object_get_string(json_object_array_get_idx(domains, i)));
}
