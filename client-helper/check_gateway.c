/*
 * What a gateway hands out, from its own point of view: certificates that are about to expire,
 * resolvers that cannot be reached or show another key than promised, domains that clients refuse.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "address.h"
#include "certificate.h"
#include "json_file.h"
#include "policy.h"
#include "probe.h"
#include "sections.h"
#include "util.h"
#include "wire/digest.h"

#define SOON (30 * 24 * 60 * 60) /* seconds: renewals are due then at the latest */

/* Relative paths are in the folder x509 beside the file. */
static char *path_of(struct check *check, const char *name)
{
	const char *slash = strrchr(check->file, '/');
	char *path = NULL;

	if (name[0] == '/' || !slash)
		set_text(&path, "%s", name);
	else
		set_text(&path, "%.*s/x509/%s", (int)(slash - check->file), check->file, name);
	return path;
}

static void judge_dates(
	struct check *check, const char *path, const struct certificate *certificate)
{
	time_t now = time(NULL), left = certificate->not_after - now;

	if (certificate->not_before > now)
		check_broken(check, "see that this machine's clock is right", "%s is not valid yet", path);
	else if (left < 0)
		check_broken(check, "renew it", "%s has expired", path);
	else if (left < SOON)
		check_warn(check, "renew it, and hand out the next one's digest beside it",
			"%s expires in %d days", path, (int)(left / (24 * 60 * 60)));
	else
		check_fine(check, "%s is valid for %d days", path, (int)(left / (24 * 60 * 60)));
}

static int add_pin(struct server *server, const struct pin *pin)
{
	struct pin *grown = reallocarray(server->pins, server->n_pins + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	server->pins = grown;
	grown[server->n_pins++] = *pin;
	return 0;
}

static void add_certificates(struct check *check, json_object *resolver, struct server *server)
{
	cleanup_list char **names = section_list(resolver, "certificates");

	for (size_t i = 0; names && names[i]; i++) {
		cleanup_free char *path = path_of(check, names[i]);
		struct certificate certificate = {};
		char reason[LIMIT_ERROR_TEXT];

		if (!path || certificate_read(path, &certificate, reason) < 0) {
			check_broken(check, "correct certificates", "%s", path ? reason : names[i]);
			continue;
		}
		judge_dates(check, path, &certificate);
		for (size_t j = 0; j < CERTIFICATE_PINS; j++)
			add_pin(server, &certificate.pins[j]);
		certificate_clear(&certificate);
	}
}

static void add_pins(json_object *resolver, struct server *server)
{
	cleanup_list char **pins = section_list(resolver, "pins");

	for (size_t i = 0; pins && pins[i]; i++) {
		const struct digest_algorithm *algorithm;
		struct pin pin = {};

		if (digest_parse(span_from_string(pins[i]), &algorithm, pin.digest, NULL) < 0)
			continue;
		pin.algorithm = algorithm->id;
		pin.length = algorithm->length;
		add_pin(server, &pin);
	}
}

/* One address over one protocol, as a client would ask. */
static void try(
	struct check *check, const struct server *server, const char *address, const char *domain)
{
	const struct probe probe = {.server = server, .name = domain};
	struct probe_result result = {};
	const char *error;

	if (probe_run(&probe, &result) < 0)
		return;
	error = result.error ? result.error : "no answer";
	if (result.answered)
		check_fine(check, "%s at %s answers (%s, %s)", server->adn, address,
			transport_to_string(server->transport), result.tls_version ? result.tls_version : "?");
	else if (strstr(error, "trust store"))
		check_warn(check,
			"hand out its digests (certificates), or see that clients trust its authority",
			"%s at %s: %s on this machine", server->adn, address, error);
	else
		check_broken(check,
			strstr(error, "digest")
				? "name the certificate that the resolver shows in certificates or pins"
			: strstr(error, "expired") ? "renew the resolver's certificate"
			: strstr(error, "is not for")
				? "give the resolver a certificate for its adn, or correct adn"
				: "see that the resolver runs, and that this machine reaches it",
			"%s at %s: %s", server->adn, address, error);
	probe_result_clear(&result);
}

static void check_parameters(struct check *check, const char *adn, char *const *alpn, uint16_t port)
{
	bool dot = section_list_has(alpn, "dot"), h2 = section_list_has(alpn, "h2");

	if (!dot && !h2)
		check_warn(check, "add dot or h2 to alpn", "%s speaks nothing that encdnsd speaks", adn);
	else if ((dot && port == 443) || (h2 && !dot && port == 853))
		check_warn(check, "leave port out, or see that it is meant",
			"%s: port %u is the other protocol's", adn, port);
	if (dot && h2 && port)
		check_warn(check, "make two resolvers of it", "%s: dot and h2 share port %u", adn, port);
}

static void check_resolver(struct check *check, json_object *resolver, const char *domain)
{
	cleanup_list char **alpn = section_list(resolver, "alpn");
	cleanup_list char **addresses = section_list(resolver, "addresses");
	const char *adn = json_get_text(resolver, "adn"), *dohpath = json_get_text(resolver, "dohpath");
	const char *port = json_get_text(resolver, "port");
	struct server server = {.priority = 1};
	struct address address;

	if (!adn)
		return;
	set_text(&server.adn, "%s", adn);
	set_text(&server.dohpath, "%s", dohpath ? dohpath : "/dns-query{?dns}");
	add_certificates(check, resolver, &server);
	add_pins(resolver, &server);
	check_parameters(check, adn, alpn, (uint16_t)atoi(port ? port : "0"));
	for (size_t i = 0; addresses && addresses[i]; i++) {
		static const struct {
			const char *alpn;
			enum transport transport;
			uint16_t port;
		} protocols[] = {{"dot", TRANSPORT_DOT, 853}, {"h2", TRANSPORT_DOH, 443}};

		if (address_from_text(addresses[i], &address) < 0)
			continue;
		server.addresses = &address;
		server.n_addresses = 1;
		for (size_t j = 0; j < ELEMENTS(protocols); j++) {
			if (!section_list_has(alpn, protocols[j].alpn))
				continue;
			server.transport = protocols[j].transport;
			server.port = port ? (uint16_t)atoi(port) : protocols[j].port;
			try(check, &server, addresses[i], domain);
		}
	}
	server.addresses = NULL;
	server.n_addresses = 0;
	server_clear(&server);
}

static void check_section(struct check *check, const char *name, json_object *section)
{
	cleanup_list char **domains = section_list(section, "domains");
	json_object *resolvers = NULL;
	const struct policy anybody = {};
	bool fine = true;

	if (!json_object_object_get_ex(section, "resolvers", &resolvers))
		return;
	for (size_t i = 0; domains && domains[i]; i++) {
		const char *why = policy_refuses_domain(&anybody, domains[i]);

		if (!why)
			continue;
		fine = false;
		check_warn(check, "hand out the domains below it that are the enterprise's",
			"%s: clients refuse %s unless their accept-domains names it: %s", name, domains[i],
			why);
	}
	if (!domains)
		check_warn(check, "name the internal domains",
			"%s: no domains, so clients of a split tunnel use "
			"its resolvers for nothing",
			name);
	else if (fine)
		check_fine(check, "%s: clients accept its domains", name);
	json_object_object_foreach(resolvers, key, resolver)
	{
		(void)key;
		check_resolver(check, resolver, domains ? domains[0] : ".");
	}
}

void check_gateway(struct check *check)
{
	json_object *sections = NULL;
	size_t n = 0;

	if (!check->file_content ||
		!json_object_object_get_ex(check->file_content, "sections", &sections))
		return;
	json_object_object_foreach(sections, name, section)
	{
		n += json_object_object_get_ex(section, "resolvers", NULL);
		check_section(check, name, section);
	}
	if (n == 0)
		check_broken(check, "see encdns.conf(5)", "%s hands out no resolver", check->file);
}
