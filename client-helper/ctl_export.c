/*
 * encdnsctl export: what a gateway hands out, for clients that learn of it otherwise: Apple's
 * profiles for DNS settings, and the policies of Firefox and Chrome.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "json_file.h"
#include "sections.h"
#include "util.h"

/* The URI of DNS over HTTPS, with or without the template's variable. To be freed. */
static char *uri_of(json_object *resolver, bool template)
{
	const char *port = json_get_text(resolver, "port"), *path = json_get_text(resolver, "dohpath");
	const char *end = path ? strchr(path, '{') : NULL;
	char *uri = NULL;

	if (!path)
		return NULL;
	set_text(&uri, "https://%s%s%s%.*s", json_get_text(resolver, "adn"), port ? ":" : "",
		port ? port : "", template || !end ? (int)strlen(path) : (int)(end - path), path);
	return uri;
}

/* ---- Apple ---- */

static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", stdout);
		else if (*text == '<')
			fputs("&lt;", stdout);
		else if (*text == '>')
			fputs("&gt;", stdout);
		else
			putchar(*text);
	}
}

static void print_key(const char *indent, const char *key, const char *value)
{
	printf("%s<key>%s</key>\n%s<string>", indent, key, indent);
	print_escaped(value);
	puts("</string>");
}

static void print_array(const char *indent, const char *key, char *const *list)
{
	printf("%s<key>%s</key>\n%s<array>\n", indent, key, indent);
	for (size_t i = 0; list && list[i]; i++) {
		printf("%s\t<string>", indent);
		print_escaped(list[i]);
		puts("</string>");
	}
	printf("%s</array>\n", indent);
}

/* The same for the same name, so that a profile replaces its elder (FNV-1a, in a UUID's shape). */
static void print_uuid(const char *indent, const char *name)
{
	uint64_t halves[2] = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x9ae16a3b2f90404f)};

	for (size_t i = 0; i < 2; i++)
		for (const char *at = name; *at; at++)
			halves[i] = (halves[i] ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
	printf("%s<key>PayloadUUID</key>\n%s<string>%08" PRIX64 "-%04" PRIX64 "-8%03" PRIX64
		   "-8%03" PRIX64 "-%012" PRIX64 "</string>\n",
		indent, indent, halves[0] >> 32, halves[0] >> 16 & 0xffff, halves[0] & 0xfff,
		halves[1] >> 48 & 0xfff, halves[1] & UINT64_C(0xffffffffffff));
}

static void print_payload(const char *name, json_object *section, json_object *resolver, bool doh)
{
	cleanup_list char **domains = section_list(section, "domains");
	cleanup_list char **addresses = section_list(resolver, "addresses");
	cleanup_free char *identifier = NULL, *uri = uri_of(resolver, false);

	set_text(&identifier, "org.strongswan.encdns.%s.%s", name, json_get_text(resolver, "adn"));
	puts("\t\t<dict>\n\t\t\t<key>DNSSettings</key>\n\t\t\t<dict>");
	print_key("\t\t\t\t", "DNSProtocol", doh ? "HTTPS" : "TLS");
	print_array("\t\t\t\t", "ServerAddresses", addresses);
	if (doh)
		print_key("\t\t\t\t", "ServerURL", uri);
	else
		print_key("\t\t\t\t", "ServerName", json_get_text(resolver, "adn"));
	if (domains)
		print_array("\t\t\t\t", "SupplementalMatchDomains", domains);
	puts("\t\t\t</dict>");
	print_key("\t\t\t", "PayloadDisplayName", json_get_text(resolver, "adn"));
	print_key("\t\t\t", "PayloadIdentifier", identifier);
	print_key("\t\t\t", "PayloadType", "com.apple.dnsSettings.managed");
	print_uuid("\t\t\t", identifier);
	puts("\t\t\t<key>PayloadVersion</key>\n\t\t\t<integer>1</integer>\n\t\t</dict>");
}

static int export_mobileconfig(const char *name, json_object *section)
{
	json_object *doh = section_resolver(section, "h2"), *dot = section_resolver(section, "dot");
	cleanup_free char *identifier = NULL;
	json_object *resolver = dot ? dot : doh;
	const char *port = json_get_text(resolver, "port");

	/* A profile has no place for the port of DNS over TLS. */
	if (resolver == dot && port && strcmp(port, "853") != 0)
		resolver = doh;
	if (!resolver) {
		fprintf(stderr,
			"encdnsctl: %s has no resolver that a profile can name: DoT on port 853, or DoH\n",
			name);
		return CTL_NEGATIVE;
	}
	set_text(&identifier, "org.strongswan.encdns.%s", name);
	puts("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		 "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		 "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		 "<plist version=\"1.0\">\n<dict>\n\t<key>PayloadContent</key>\n\t<array>");
	print_payload(name, section, resolver, resolver == doh && resolver != dot);
	puts("\t</array>");
	print_key("\t", "PayloadDisplayName", name);
	print_key("\t", "PayloadIdentifier", identifier);
	print_key("\t", "PayloadType", "Configuration");
	print_uuid("\t", identifier);
	puts("\t<key>PayloadVersion</key>\n\t<integer>1</integer>\n</dict>\n</plist>");
	return CTL_FINE;
}

/* ---- browsers ---- */

static json_object *browser_resolver(const char *name, json_object *section)
{
	json_object *resolver = section_resolver(section, "h2");

	if (!resolver)
		fprintf(stderr,
			"encdnsctl: %s has no DoH resolver (alpn = h2), and browsers know no other\n", name);
	else if (json_get_text(section, "domains"))
		fprintf(stderr,
			"encdnsctl: a browser with this policy sends every name to %s, not only %s\n",
			json_get_text(resolver, "adn"), json_get_text(section, "domains"));
	return resolver;
}

static int export_firefox(const char *name, json_object *section)
{
	cleanup_json json_object *json = json_object_new_object();
	json_object *resolver = browser_resolver(name, section);
	json_object *policies = json_object_new_object(), *doh = json_object_new_object();
	cleanup_free char *uri = resolver ? uri_of(resolver, false) : NULL;

	json_add(json, "policies", policies);
	json_add(policies, "DNSOverHTTPS", doh);
	if (!uri)
		return CTL_NEGATIVE;
	json_add_flag(doh, "Enabled", true);
	json_add_text(doh, "ProviderURL", uri);
	json_add_flag(doh, "Locked", true);
	json_add_flag(doh, "Fallback", false);
	ctl_print_json(json);
	return CTL_FINE;
}

static int export_chrome(const char *name, json_object *section)
{
	cleanup_json json_object *json = json_object_new_object();
	json_object *resolver = browser_resolver(name, section);
	cleanup_free char *uri = resolver ? uri_of(resolver, true) : NULL;

	if (!uri)
		return CTL_NEGATIVE;
	json_add_text(json, "DnsOverHttpsMode", "secure");
	json_add_text(json, "DnsOverHttpsTemplates", uri);
	ctl_print_json(json);
	return CTL_FINE;
}

static const struct {
	const char *name;
	int (*export)(const char *name, json_object *section);
} formats[] = {
	{"mobileconfig", export_mobileconfig},
	{"firefox", export_firefox},
	{"chrome", export_chrome},
};

/* The gateway's section of this name; NULL: the first. */
static json_object *find_section(json_object *content, const char *wanted, const char **ret_name)
{
	json_object *sections = NULL;

	json_object_object_get_ex(content, "sections", &sections);
	json_object_object_foreach(sections, name, section)
	{
		if (!json_object_object_get_ex(section, "resolvers", NULL) ||
			(wanted && strcmp(wanted, name) != 0))
			continue;
		*ret_name = name;
		return section;
	}
	return NULL;
}

static int read_configuration(const char *file, json_object **ret)
{
	json_object *content = NULL, *errors;
	int r;

	r = configuration_read(file, &content);
	if (r < 0) {
		fprintf(stderr, "encdnsctl: %s cannot be looked into%s\n", file,
			r == -ENOENT ? ": strongswan-plugin-encdns is not installed" : "");
		return r;
	}
	errors = json_get_array(content, "errors");
	for (size_t i = 0; i < json_object_array_length(errors); i++)
		fprintf(stderr, "encdnsctl: %s\n",
			json_object_get_string(json_object_array_get_idx(errors, i)));
	if (json_object_array_length(errors) > 0) {
		json_object_put(content);
		return -EINVAL;
	}
	*ret = content;
	return 0;
}

int ctl_export(int argc, char *argv[])
{
	struct ctl_options options = {
		.max_names = 1, .knows_file = true, .knows_format = true, .file = SWANCTL_CONF};
	cleanup_json json_object *content = NULL;
	json_object *section;
	const char *name = NULL;

	if (ctl_parse("export", argc, argv, &options) < 0)
		return CTL_MISUSE;
	for (size_t i = 0; i < ELEMENTS(formats); i++) {
		if (!options.format || strcmp(options.format, formats[i].name) != 0)
			continue;
		if (read_configuration(options.file, &content) < 0)
			return CTL_NEGATIVE;
		section = find_section(content, options.n_names > 0 ? options.names[0] : NULL, &name);
		if (section)
			return formats[i].export(name, section);
		fprintf(stderr, "encdnsctl: %s has no such section with resolvers\n", options.file);
		return CTL_NEGATIVE;
	}
	fputs("encdnsctl: export wants --format mobileconfig, firefox or chrome\n", stderr);
	return CTL_MISUSE;
}
