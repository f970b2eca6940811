#include "support.h"
#include "encdns_config.h"

#include <stdio.h>
#include <sys/stat.h>

/* The sample that the design gives, which must load as it stands. */
static const char sample[] =
"encrypted-dns {\n"
"  corp {                                   # gateway side: what to hand out\n"
"    pools = rw-v4, rw-v6                   # and/or connections = ..., identities = *@corp.example\n"
"    resolvers {\n"
"      dot {\n"
"        adn = dns.corp.example\n"
"        addresses = 10.20.0.53, 2001:db8:20::53\n"
"        alpn = dot                         # dot | h2; port, dohpath, priority as needed\n"
"        certificates = dns.pem             # digests from these\n"
"      }\n"
"      doh {\n"
"        adn = doh.corp.example\n"
"        addresses = 10.20.0.54\n"
"        alpn = h2\n"
"        dohpath = \"/dns-query{?dns}\"\n"
"        priority = 2\n"
"      }\n"
"    }\n"
"    domains = corp.example, lab.corp.example\n"
"    trust-anchors = \"corp.example 12345 8 1 00112233445566778899AABBCCDDEEFF00112233\"\n"
"  }\n"
"  laptop {                                 # laptop side: what to ask for and accept\n"
"    connections = corp-vpn                 # default: every connection that requests a virtual IP\n"
"    accept-domains = corp.example\n"
"    accept-trust-anchors = corp.example, Internal  override\n"
"    require-encrypted = yes\n"
"    organization = Example Corp\n"
"  }\n"
"}\n";

/**
 * Load a text, as a file in the test's folder.
 */
static encdns_config_t *load(const char *text, encdns_report_t *report)
{
	return encdns_config_load(write_file("swanctl.conf", text), report);
}

/**
 * Load a text that must be refused with these messages.
 */
static void assert_refused(const char *text, const char *expected)
{
	encdns_report_t *report = encdns_report_create();
	char *messages;

	assert_null(load(text, report));
	messages = messages_of(report);
	assert_string_equal(messages, expected);
	free(messages);
	report->destroy(report);
}

/**
 * Load a text that must be fine.
 */
static encdns_config_t *assert_loaded(const char *text)
{
	encdns_report_t *report = encdns_report_create();
	encdns_config_t *config = load(text, report);
	char *messages = messages_of(report);

	assert_string_equal(messages, "");
	assert_non_null(config);
	free(messages);
	report->destroy(report);
	return config;
}

static encdns_gateway_t *first_gateway(encdns_config_t *config)
{
	enumerator_t *enumerator = config->create_gateway_enumerator(config);
	encdns_gateway_t *gateway = NULL;

	assert_true(enumerator->enumerate(enumerator, &gateway));
	enumerator->destroy(enumerator);
	return gateway;
}

/**
 * An item of a list.
 */
static void *item(linked_list_t *list, int index)
{
	enumerator_t *enumerator = list->create_enumerator(list);
	void *current = NULL;

	while (index-- >= 0)
	{
		assert_true(enumerator->enumerate(enumerator, &current));
	}
	enumerator->destroy(enumerator);
	return current;
}

/**
 * Put the certificate that make has made where swanctl has its own.
 */
static void install_certificate(void)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s/x509 && cp dns.pem %s/x509/",
			 folder, folder);
	assert_int_equal(system(command), 0);
}

static void test_sample(void **state)
{
	encdns_config_t *config;
	encdns_gateway_t *gateway;
	encdns_resolver_t *resolver;
	encdns_anchor_t *anchor;
	encdns_laptop_t *laptop;

	install_certificate();
	config = assert_loaded(sample);
	gateway = first_gateway(config);
	assert_string_equal(gateway->name, "corp");
	assert_string_equal(item(gateway->pools, 1), "rw-v6");
	assert_string_equal(item(gateway->domains, 1), "lab.corp.example");
	anchor = item(gateway->anchors, 0);
	assert_string_equal(anchor->domain, "corp.example");
	assert_int_equal(anchor->anchor.key_tag, 12345);
	assert_int_equal(anchor->anchor.digest[2], 0x22);

	resolver = item(gateway->resolvers, 0);
	assert_string_equal(resolver->adn, "dns.corp.example");
	assert_int_equal(resolver->addresses[0].len, 4);
	assert_int_equal(resolver->addresses[1].len, 16);
	assert_int_equal(resolver->priority, 1);
	assert_int_equal(resolver->port, 0);
	resolver = item(gateway->resolvers, 1);
	assert_string_equal(resolver->dohpath, "/dns-query{?dns}");
	assert_int_equal(resolver->priority, 2);

	assert_null(config->get_laptop(config, "other", TRUE));
	laptop = config->get_laptop(config, "corp-vpn", FALSE);
	assert_non_null(laptop);
	assert_string_equal(item(laptop->accept_domains, 0), "corp.example");
	assert_string_equal(item(laptop->accept_anchors, 0), "corp.example");
	assert_string_equal(item(laptop->accept_anchors, 1), "internal override");
	assert_true(laptop->require_encrypted);
	assert_false(laptop->outside_tunnel);
	assert_string_equal(laptop->organization, "Example Corp");
	assert_string_equal(laptop->on_disconnect, "release");
	assert_string_equal(laptop->request, "auto");
	assert_int_equal(laptop->algorithms.n_algorithms, 3);
	assert_int_equal(laptop->algorithms.algorithms[0], DIGEST_SHA2_512);
	config->destroy(config);
}

static void test_certificate_digest(void **state)
{
	encdns_config_t *config;
	encdns_resolver_t *resolver;
	encdns_certificate_t *certificate;
	char expected[65], got[65];
	FILE *file;

	install_certificate();
	config = assert_loaded(sample);
	resolver = item(first_gateway(config)->resolvers, 0);
	certificate = item(resolver->certificates, 0);
	file = fopen("dns.sha256", "r");
	assert_non_null(file);
	assert_non_null(fgets(expected, sizeof(expected), file));
	fclose(file);
	chunk_to_hex(chunk_create(certificate->digests[0].digest, 32), got, FALSE);
	assert_int_equal(certificate->digests[0].algorithm->id, DIGEST_SHA2_256);
	assert_string_equal(got, expected);
	config->destroy(config);
}

static void test_laptop_without_anything(void **state)
{
	encdns_config_t *config = assert_loaded("encrypted-dns {\n laptop {\n }\n}\n");
	encdns_laptop_t *laptop = config->get_laptop(config, "any", TRUE);

	assert_non_null(laptop);
	assert_null(laptop->accept_domains);
	assert_null(config->get_laptop(config, "any", FALSE));
	config->destroy(config);
}

static void test_nothing_of_ours(void **state)
{
	encdns_config_t *config = assert_loaded("connections {\n a {\n }\n}\n");

	assert_null(config->get_laptop(config, "any", TRUE));
	config->destroy(config);
}

static void test_included(void **state)
{
	encdns_config_t *config;

	write_file("more.conf", "encrypted-dns {\n laptop {\n }\n}\n");
	config = assert_loaded("include more.conf\n");
	assert_non_null(config->get_laptop(config, "any", TRUE));
	config->destroy(config);
}

static void test_names_with_dots_and_percent(void **state)
{
	encdns_config_t *config = assert_loaded(
		"encrypted-dns {\n"
		"  corp%s {\n"
		"    resolvers {\n"
		"      d%n {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.53\n"
		"        alpn = dot\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"}\n");

	assert_string_equal(first_gateway(config)->name, "corp%s");
	config->destroy(config);
}

static void test_ten_mistakes_ten_messages(void **state)
{
	assert_refused(
		"encrypted-dns {\n"
		"  corp {\n"
		"    pool = rw-v4\n"
		"    domains = corp..example\n"
		"    trust-anchors = \"lab.example 1 8 2 A1B2\"\n"
		"    require-encrypted = yes\n"
		"    resolvers {\n"
		"      dot {\n"
		"        adn = 10.20.0.53\n"
		"        addresses = 10.20.0.300\n"
		"        alpn = tls\n"
		"        port = 85x\n"
		"        priority = 0\n"
		"        pins = sha256:00\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"}\n",
		"encrypted-dns.corp.pool: unknown, did you mean \"pools\"?\n"
		"encrypted-dns.corp.domains: \"corp..example\" is not a domain: the domain has an empty label\n"
		"encrypted-dns.corp.trust-anchors: \"lab.example 1 8 2 A1B2\" is not a trust anchor "
			"(domain, key tag, algorithm, digest type, digest in hex)\n"
		"encrypted-dns.corp.require-encrypted: belongs to a laptop's section, and this one has "
			"resolvers: a gateway's\n"
		"encrypted-dns.corp.resolvers.dot.adn: \"10.20.0.53\" is not a host name: the ADN ends in a number\n"
		"encrypted-dns.corp.resolvers.dot.addresses: \"10.20.0.300\" is not an IP address\n"
		"encrypted-dns.corp.resolvers.dot.alpn: \"tls\" is not one of: dot, h2, h3, doq\n"
		"encrypted-dns.corp.resolvers.dot.port: \"85x\" is not a port\n"
		"encrypted-dns.corp.resolvers.dot.priority: \"0\" is not a service priority from 1 to 65535\n"
		"encrypted-dns.corp.resolvers.dot.pins: \"sha256:00\" is not a pin like sha256:HEX: the "
			"pin's length is not that of its algorithm\n");
}

static void test_other_mistakes(void **state)
{
	assert_refused(
		"encrypted-dns {\n"
		"  laptop = yes\n"
		"  a {\n"
		"    pools = x\n"
		"    accept-domain = corp.example\n"
		"    adn = dns.corp.example\n"
		"    on-disconnect = keep\n"
		"    require-encrypted = maybe\n"
		"    hash-algorithms = sha512, md5\n"
		"    resolver {\n"
		"    }\n"
		"  }\n"
		"}\n",
		"encrypted-dns.laptop: belongs into encrypted-dns { NAME { } }\n"
		"encrypted-dns.a.resolver: is no section of this one, did you mean \"resolvers\"?\n"
		"encrypted-dns.a.pools: belongs to what a gateway hands out, and that needs resolvers { }\n"
		"encrypted-dns.a.accept-domain: unknown, did you mean \"accept-domains\"?\n"
		"encrypted-dns.a.adn: belongs into resolvers { NAME { } }\n"
		"encrypted-dns.a.on-disconnect: \"keep\" is not one of: release block\n"
		"encrypted-dns.a.require-encrypted: \"maybe\" is not yes or no\n"
		"encrypted-dns.a.hash-algorithms: \"md5\" is not one of: sha256, sha384, sha512\n"
		"encrypted-dns.a.hash-algorithms: sha256 must be among them (RFC 9464)\n");
}

static void test_files_that_are_not_there(void **state)
{
	char expected[512];

	snprintf(expected, sizeof(expected),
		"encrypted-dns.a.ca-certificates: cannot read %s/x509ca/none.pem: No such file or directory\n"
		"encrypted-dns.b.resolvers.dot.certificates: cannot read %s/x509/none.pem: No such file or "
			"directory\n", folder, folder);
	assert_refused(
		"encrypted-dns {\n"
		"  a {\n"
		"    ca-certificates = none.pem\n"
		"  }\n"
		"  b {\n"
		"    resolvers {\n"
		"      dot {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.53\n"
		"        alpn = dot\n"
		"        certificates = none.pem\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"}\n", expected);
}

static void test_rules_over_several_options(void **state)
{
	assert_refused(
		"encrypted-dns {\n"
		"  corp {\n"
		"    domains = corp.example\n"
		"    trust-anchors = \"lab.example 1 8 1 00112233445566778899AABBCCDDEEFF00112233\"\n"
		"    resolvers {\n"
		"      doh {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.53\n"
		"        alpn = h2\n"
		"      }\n"
		"      dot {\n"
		"        adn = dns.corp.example\n"
		"        dohpath = \"/dns-query{?dns}\"\n"
		"        alpn = dot\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"}\n",
		"encrypted-dns.corp.resolvers.doh: h2 and h3 need a dohpath, mostly \"/dns-query{?dns}\"\n"
		"encrypted-dns.corp.resolvers.dot.addresses: is missing\n"
		"encrypted-dns.corp.resolvers.dot: a dohpath is for h2 and h3 only\n"
		"encrypted-dns.corp.trust-anchors: \"lab.example\" is not among the domains\n");
}

static void test_suggestions(void **state)
{
	encdns_config_t *config = assert_loaded(
		"encrypted-dns {\n laptop {\n suggestions {\n a {\n alpn = dot\n }\n }\n }\n}\n");
	encdns_laptop_t *laptop = config->get_laptop(config, "any", TRUE);
	encdns_resolver_t *resolver = item(laptop->suggestions, 0);

	assert_string_equal(item(resolver->alpn, 0), "dot");
	assert_null(resolver->adn);
	assert_int_equal(resolver->priority, 1);
	config->destroy(config);
	assert_refused(
		"encrypted-dns {\n"
		"  a {\n"
		"    suggestions {\n"
		"      adn = dns.corp.example\n"
		"      one {\n"
		"        port = 853\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"  b {\n"
		"    resolvers {\n"
		"      dot {\n"
		"        adn = dns.corp.example\n"
		"        addresses = 10.20.0.53\n"
		"        alpn = dot\n"
		"      }\n"
		"    }\n"
		"    suggestions {\n"
		"    }\n"
		"  }\n"
		"}\n",
		"encrypted-dns.a.suggestions.adn: belongs into suggestions { NAME { } }\n"
		"encrypted-dns.a.suggestions.one.port: unknown\n"
		"encrypted-dns.a.suggestions.one: suggests nothing: it needs an adn, addresses or an alpn\n"
		"encrypted-dns.b.suggestions: belongs to a laptop's section, and this one has resolvers: "
			"a gateway's\n");
}

static void test_u_labels(void **state)
{
	encdns_config_t *config = assert_loaded(
		"encrypted-dns {\n"
		"  corp {\n"
		"    domains = B\xc3\xbc" "cher.example, _x.bu\xcc\x88" "cher.example\n"
		"    trust-anchors = \"b\xc3\xbc" "cher.example 1 8 1 00112233445566778899AABBCCDDEEFF00112233\"\n"
		"    resolvers {\n"
		"      dot {\n"
		"        adn = dns.stra\xc3\x9f" "e.example\n"
		"        addresses = 10.20.0.53\n"
		"        alpn = dot\n"
		"      }\n"
		"    }\n"
		"  }\n"
		"}\n");
	encdns_gateway_t *gateway = first_gateway(config);
	encdns_resolver_t *resolver = item(gateway->resolvers, 0);
	encdns_anchor_t *anchor = item(gateway->anchors, 0);

	assert_string_equal(item(gateway->domains, 0), "xn--bcher-kva.example");
	assert_string_equal(item(gateway->domains, 1), "_x.xn--bcher-kva.example");
	assert_string_equal(anchor->domain, "xn--bcher-kva.example");
	assert_string_equal(resolver->adn, "dns.xn--strae-oqa.example");
	config->destroy(config);
	assert_refused(
		"encrypted-dns {\n  a {\n    accept-domains = \xc3\xbc.., \xff\xfe\n  }\n}\n",
		"encrypted-dns.a.accept-domains: \"\xc3\xbc..\" is not a domain: the domain has an empty label\n"
		"encrypted-dns.a.accept-domains: \"\xff\xfe\" is not a domain: string encoding error\n");
}

static void test_no_file(void **state)
{
	encdns_report_t *report = encdns_report_create();

	assert_null(encdns_config_load("/nonexistent/swanctl.conf", report));
	assert_int_equal(report->get_count(report), 1);
	report->destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_certificate_digest),
		cmocka_unit_test(test_laptop_without_anything),
		cmocka_unit_test(test_nothing_of_ours),
		cmocka_unit_test(test_included),
		cmocka_unit_test(test_names_with_dots_and_percent),
		cmocka_unit_test(test_ten_mistakes_ten_messages),
		cmocka_unit_test(test_other_mistakes),
		cmocka_unit_test(test_files_that_are_not_there),
		cmocka_unit_test(test_rules_over_several_options),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_u_labels),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
