#include "reply.h"

#include <string.h>

#include "client-helper/bounds.h"
#include "client-helper/plan.h"
#include "client-helper/util.h"

static struct plan plan_of(struct request *request)
{
	struct plan plan;

	assert_int_equal(plan_make(request, &no_claims, 1, &plan), 0);
	request_clear(request);
	return plan;
}

static bool is_refused(const struct plan *plan, uint16_t type, const char *value)
{
	for (size_t i = 0; i < plan->refusals.n; i++)
		if (plan->refusals.list[i].type == type &&
			(!value || strstr(plan->refusals.list[i].value, value)))
			return true;
	return false;
}

static void test_dot(void **state)
{
	struct request request;
	struct plan plan;
	const struct resolver *resolver;

	reply_begin(&request);
	reply_encdns(&request, 1, "DNS.corp.example", "10.20.0.53 10.20.0.54", ALPN_DOT PORT_8853,
		sizeof(ALPN_DOT PORT_8853));
	reply_domain(&request, "corp.example");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	resolver = &plan.resolvers.list[0];
	assert_null(resolver->unusable);
	assert_int_equal(resolver->server.transport, TRANSPORT_DOT);
	assert_string_equal(resolver->server.adn, "dns.corp.example");
	assert_int_equal(resolver->server.port, 8853);
	assert_int_equal(resolver->server.n_addresses, 2);
	assert_int_equal(resolver->server.n_pins, 0);
	assert_int_equal(plan.refusals.n, 0);
	plan_clear(&plan);
}

/* Whatever their order, those with the best priority are used. */
static void test_too_many(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	for (unsigned priority = LIMIT_SERVERS + 8; priority > 0; priority--)
		reply_dot(&request, priority, "dns.corp.example", "10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, LIMIT_SERVERS);
	for (unsigned i = 0; i < LIMIT_SERVERS; i++)
		assert_int_equal(plan.resolvers.list[i].server.priority, i + 1);
	assert_int_equal(plan.refusals.n, 8);
	assert_true(is_refused(&plan, WIRE_ENCDNS_IP4, "dns.corp.example"));
	plan_clear(&plan);

	reply_begin(&request);
	for (unsigned i = 0; i < LIMIT_SERVERS + 1; i++)
		reply_plain(&request, "10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, LIMIT_SERVERS);
	assert_true(is_refused(&plan, WIRE_INTERNAL_IP4_DNS, "10.20.0.53"));
	plan_clear(&plan);
}

static void test_transports(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_encdns(&request, 1, "a.example", "10.20.0.1", ALPN_H2 DOHPATH, sizeof(ALPN_H2 DOHPATH));
	reply_encdns(&request, 2, "b.example", "10.20.0.2", ALPN_H2, sizeof(ALPN_H2));
	reply_encdns(&request, 3, "c.example", "10.20.0.3", ALPN_DOQ, sizeof(ALPN_DOQ));
	reply_encdns(&request, 4, "d.example", "10.20.0.4", "", 1);
	reply_encdns(&request, 5, "e.example", "10.20.0.5", ALPN_DOT_H2, sizeof(ALPN_DOT_H2));
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 5);
	assert_int_equal(plan.resolvers.list[0].server.transport, TRANSPORT_DOH);
	assert_int_equal(plan.resolvers.list[0].server.port, 443);
	assert_string_equal(plan.resolvers.list[0].server.dohpath, "/dns-query{?dns}");
	assert_null(plan.resolvers.list[0].unusable);
	assert_non_null(plan.resolvers.list[1].unusable); /* I10: no dohpath */
	assert_non_null(plan.resolvers.list[2].unusable); /* I9: doq only */
	assert_non_null(plan.resolvers.list[3].unusable); /* I9: no alpn */
	assert_int_equal(plan.resolvers.list[4].server.transport, TRANSPORT_DOT);
	assert_int_equal(plan.resolvers.list[4].server.port, 853);
	assert_int_equal(plan_usable(&plan), 2);
	plan_clear(&plan);
}

/* I8: what is not known is passed over, unless it is mandatory. */
static void test_unknown_params(void **state)
{
	static const char unknown[] = ALPN_DOT "\0\5\0\1x\xfd\xe8\0\2ab";
	static const char mandatory[] = "\0\0\0\2\xfd\xe8" ALPN_DOT "\xfd\xe8\0\2ab";
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_encdns(&request, 1, "a.example", "10.20.0.1", unknown, sizeof(unknown));
	reply_encdns(&request, 2, "b.example", "10.20.0.2", mandatory, sizeof(mandatory));
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_string_equal(plan.resolvers.list[0].server.adn, "a.example");
	assert_int_equal(plan_usable(&plan), 1);
	assert_int_equal(plan.refusals.n, 1);
	plan_clear(&plan);
}

/* I6: by priority; equal ones in an order that the seed gives. */
static void test_priorities(void **state)
{
	bool first_differs = false;
	struct request request;
	struct plan plan, other;

	reply_begin(&request);
	reply_dot(&request, 30, "z.example", "10.20.0.9");
	reply_dot(&request, 2, "a.example", "10.20.0.1");
	reply_dot(&request, 2, "b.example", "10.20.0.2");
	reply_dot(&request, 2, "c.example", "10.20.0.3");
	reply_dot(&request, 1, "y.example", "10.20.0.8");
	assert_int_equal(plan_make(&request, &no_claims, 0, &plan), 0);
	assert_string_equal(plan.resolvers.list[0].server.adn, "y.example");
	assert_string_equal(plan.resolvers.list[4].server.adn, "z.example");
	for (uint32_t seed = 1; seed < 50; seed++) {
		assert_int_equal(plan_make(&request, &no_claims, seed, &other), 0);
		for (size_t i = 1; i < 5; i++)
			assert_true(other.resolvers.list[i - 1].server.priority <=
						other.resolvers.list[i].server.priority);
		first_differs = first_differs || strcmp(plan.resolvers.list[1].server.adn,
											 other.resolvers.list[1].server.adn) != 0;
		plan_clear(&other);
	}
	assert_true(first_differs);
	plan_clear(&plan);
	request_clear(&request);
}

/* I7: each is refused alone, and what is good beside it stays. */
static void test_malformed(void **state)
{
	static const struct {
		uint16_t priority;
		const char *adn, *params;
		size_t size;
	} bad[] = {
		{0, "dns.example", ALPN_DOT, sizeof(ALPN_DOT)},
		{1, "", ALPN_DOT, sizeof(ALPN_DOT)},
		{1, "dns.exa\x01mple", ALPN_DOT, sizeof(ALPN_DOT)},
		{1, "192.0.2.1", ALPN_DOT, sizeof(ALPN_DOT)},
		{1, "dns.example", ALPN_DOT IPV4HINT, sizeof(ALPN_DOT IPV4HINT)},
		{1, "dns.example", PORT_8853 ALPN_DOT, sizeof(PORT_8853 ALPN_DOT)},
		{1, "dns.example", ALPN_DOT ALPN_DOT, sizeof(ALPN_DOT ALPN_DOT)},
		{1, "dns.example", "\0\1\0\x09\3dot", sizeof("\0\1\0\x09\3dot")},
		{1, "dns.example", "\0\0\0\2\xff\0" ALPN_DOT, sizeof("\0\0\0\2\xff\0" ALPN_DOT)},
	};

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct request request;
		struct plan plan;

		reply_begin(&request);
		reply_encdns(
			&request, bad[i].priority, bad[i].adn, "10.20.0.53", bad[i].params, bad[i].size);
		reply_dot(&request, 1, "good.example", "10.20.0.54");
		plan = plan_of(&request);
		assert_int_equal(plan.resolvers.n, 1);
		assert_string_equal(plan.resolvers.list[0].server.adn, "good.example");
		assert_int_equal(plan.refusals.n, 1);
		assert_int_equal(plan.refusals.list[0].type, 27);
		plan_clear(&plan);
	}
}

/* Every truncation is refused or read, never worse; and none lets plain DNS in (I16). */
static void test_truncations(void **state)
{
	struct request request, cut;
	struct plan plan;

	reply_begin(&request);
	reply_encdns(&request, 1, "dns.corp.example", "10.20.0.53", ALPN_DOT PORT_8853,
		sizeof(ALPN_DOT PORT_8853));
	for (size_t length = 0; length <= request.attributes[0].length; length++) {
		reply_begin(&cut);
		reply_add(&cut, 27, request.attributes[0].value, length);
		reply_plain(&cut, "10.20.0.99");
		reply_domain(&cut, "corp.example");
		plan = plan_of(&cut);
		for (size_t i = 0; i < plan.resolvers.n; i++)
			assert_int_not_equal(plan.resolvers.list[i].server.transport, TRANSPORT_PLAIN);
		assert_true(is_refused(&plan, 3, "10.20.0.99"));
		assert_string_equal(plan.domains[0], "corp.example");
		plan_clear(&plan);
	}
	request_clear(&request);
}

/* I17 and the tunnel. */
static void test_outside(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "192.0.2.53 10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_int_equal(plan.resolvers.list[0].server.n_addresses, 1);
	assert_false(plan.resolvers.list[0].server.addresses[0].outside);
	assert_true(is_refused(&plan, 27, "192.0.2.53"));
	plan_clear(&plan);

	reply_begin(&request);
	request.policy.resolvers_outside_tunnel = true;
	reply_dot(&request, 1, "dns.corp.example", "192.0.2.53 10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_true(plan.resolvers.list[0].server.addresses[0].outside);
	assert_false(plan.resolvers.list[0].server.addresses[1].outside);
	plan_clear(&plan);

	/* Plain: never outside, whatever the policy. */
	reply_begin(&request);
	request.policy.resolvers_outside_tunnel = true;
	reply_plain(&request, "192.0.2.53");
	reply_plain(&request, "10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_int_equal(plan.resolvers.list[0].server.transport, TRANSPORT_PLAIN);
	assert_int_equal(plan.resolvers.list[0].server.port, 53);
	assert_true(is_refused(&plan, 3, "192.0.2.53"));
	plan_clear(&plan);
}

static void test_odd_addresses(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_full(&request);
	reply_dot(
		&request, 1, "dns.corp.example", "127.0.0.1 0.0.0.0 224.0.0.1 169.254.1.1 255.255.255.255");
	reply_dot(&request, 1, "six.corp.example", "2001:db8::53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_true(is_refused(&plan, 27, "127.0.0.1"));
	assert_true(is_refused(&plan, 28, "2001:db8::53")); /* outside */
	plan_clear(&plan);
}

static void test_families(void **state)
{
	struct request request;
	struct plan plan;

	/* Inside, but with no address to ask it from. */
	reply_begin(&request);
	reply_selector(&request, "2001:db8::", "2001:db8::ffff");
	reply_dot(&request, 1, "six.corp.example", "2001:db8::53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_true(is_refused(&plan, 28, "2001:db8::53"));
	plan_clear(&plan);

	/* Outside, as the user wishes, it is not asked from a virtual IP. */
	reply_begin(&request);
	request.policy.resolvers_outside_tunnel = true;
	reply_dot(&request, 1, "six.corp.example", "2001:db8::53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_true(plan.resolvers.list[0].server.addresses[0].outside);
	plan_clear(&plan);
}

/* I16, I17 */
static void test_no_downgrade(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_plain(&request, "10.20.0.53");
	reply_dot(&request, 0, "dns.corp.example", "10.20.0.53");
	reply_domain(&request, "corp.example");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_string_equal(plan.domains[0], "corp.example"); /* and so fails closed */
	plan_clear(&plan);

	reply_begin(&request);
	request.policy.require_encrypted = true;
	reply_plain(&request, "10.20.0.53");
	reply_domain(&request, "corp.example");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_true(is_refused(&plan, 3, "10.20.0.53"));
	assert_string_equal(plan.domains[0], "corp.example");
	plan_clear(&plan);
}

/* I11, I12 */
static void test_pins(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_digest(&request, "", 2, 0xaa, 32);
	reply_digest(&request, "DNS.CORP.example", 2, 0xbb, 32);
	plan = plan_of(&request);
	assert_null(plan.resolvers.list[0].unusable);
	assert_int_equal(plan.resolvers.list[0].server.n_pins, 2);
	assert_int_equal(plan.resolvers.list[0].server.pins[0].length, 32);
	assert_int_equal(plan.resolvers.list[0].server.pins[1].digest[31], 0xbb);
	plan_clear(&plan);

	/* One distinct ADN, though in two attributes, and one of them refused. */
	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_dot(&request, 1, "dns.corp.example", "192.0.2.1");
	reply_digest(&request, "", 2, 0xaa, 32);
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_int_equal(plan.resolvers.list[0].server.n_pins, 1);
	plan_clear(&plan);

	/* The other name's entry is refused for its address, and still counts as a name. */
	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_dot(&request, 1, "other.corp.example", "192.0.2.1");
	reply_digest(&request, "", 2, 0xaa, 32);
	plan = plan_of(&request);
	assert_non_null(plan.resolvers.list[0].unusable);
	assert_int_equal(plan_usable(&plan), 0);
	plan_clear(&plan);

	/* So does one of an entry that cannot be read any further. */
	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_dot(&request, 0, "other.corp.example", "10.20.0.54");
	reply_digest(&request, "", 2, 0xaa, 32);
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 1);
	assert_int_equal(plan_usable(&plan), 0);
	plan_clear(&plan);

	/* With a digest for each, each has its own. */
	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_dot(&request, 2, "other.corp.example", "10.20.0.54");
	reply_digest(&request, "other.corp.example", 2, 0xbb, 32);
	reply_digest(&request, "dns.corp.example", 2, 0xaa, 32);
	plan = plan_of(&request);
	assert_int_equal(plan_usable(&plan), 2);
	assert_int_equal(plan.resolvers.list[0].server.n_pins, 1);
	assert_int_equal(plan.resolvers.list[0].server.pins[0].digest[0], 0xaa);
	assert_int_equal(plan.resolvers.list[1].server.pins[0].digest[0], 0xbb);
	plan_clear(&plan);

	/* A name that nobody has is ignored. */
	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_digest(&request, "else.example", 2, 0xaa, 32);
	plan = plan_of(&request);
	assert_null(plan.resolvers.list[0].unusable);
	assert_int_equal(plan.resolvers.list[0].server.n_pins, 0);
	assert_true(is_refused(&plan, 29, "else.example"));
	plan_clear(&plan);
}

/* I14 */
static void test_faulty_pins(void **state)
{
	static const uint16_t two_and_three[] = {2, 3};
	struct request request;
	struct plan plan;

	/* Not asked for; wrong length; unknown; unreadable: none falls back to no pin. */
	for (size_t i = 0; i < 4; i++) {
		reply_begin(&request);
		reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
		if (i == 0)
			reply_digest(&request, "", 3, 0xaa, 48);
		else if (i == 1)
			reply_digest(&request, "", 2, 0xaa, 31);
		else if (i == 2)
			reply_digest(&request, "", 77, 0xaa, 32);
		else
			reply_add(&request, 29, "\1\x40", 2);
		plan = plan_of(&request);
		assert_non_null(plan.resolvers.list[0].unusable);
		assert_int_equal(plan.resolvers.list[0].server.n_pins, 0);
		assert_true(is_refused(&plan, 29, NULL));
		plan_clear(&plan);
	}

	/* A good one beside a faulty one is enough. */
	reply_begin(&request);
	request.algorithms = malloc(sizeof(two_and_three));
	assert_non_null(request.algorithms);
	memcpy(request.algorithms, two_and_three, sizeof(two_and_three));
	request.n_algorithms = 2;
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_digest(&request, "", 2, 0xaa, 31);
	reply_digest(&request, "", 3, 0xbb, 48);
	plan = plan_of(&request);
	assert_null(plan.resolvers.list[0].unusable);
	assert_int_equal(plan.resolvers.list[0].server.n_pins, 1);
	assert_int_equal(plan.resolvers.list[0].server.pins[0].algorithm, 3);
	plan_clear(&plan);
}

/* Ten octets of nothing, ff ff, 10.20.0.53; and 192.0.2.53. */
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x14\0\x35"
#define MAPPED_OUTSIDE "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\x35"
#define ENC_DNS 16400
#define reply_enc_dns(request, value) reply_add(request, ENC_DNS, value, sizeof(value) - 1)

/* I32 */
static void test_internal_enc_dns(void **state)
{
	const struct server *server;
	struct request request;
	struct plan plan;

	/* Without a number it is nothing. */
	reply_begin(&request);
	reply_enc_dns(&request, "\1\1" MAPPED "dot.corp.example");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_false(plan.resolvers.offered);
	plan_clear(&plan);

	/* DoT and DoH, behind what RFC 9464 offers, and no plain DNS beside them. */
	reply_begin(&request);
	request.policy.enc_dns = ENC_DNS;
	request.policy.dohpath = strdup("/q{?dns}");
	reply_enc_dns(&request, "\1\1" MAPPED "DOT.corp.example");
	reply_enc_dns(&request, "\2\1" MAPPED "doh.corp.example");
	reply_enc_dns(&request, "\1\0doh.corp.example");
	reply_dot(&request, 7, "dns.corp.example", "10.20.0.53");
	reply_plain(&request, "10.20.0.53");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 3);
	assert_int_equal(plan_usable(&plan), 3);
	assert_string_equal(plan.resolvers.list[0].server.adn, "dns.corp.example");
	for (size_t i = 1; i < 3; i++) {
		server = &plan.resolvers.list[i].server;
		assert_int_equal(server->n_addresses, 1);
		assert_int_equal(server->addresses[0].family, AF_INET);
		assert_false(server->addresses[0].outside);
		if (server->transport == TRANSPORT_DOT) {
			assert_string_equal(server->adn, "dot.corp.example");
			assert_int_equal(server->port, 853);
		} else {
			assert_int_equal(server->transport, TRANSPORT_DOH);
			assert_string_equal(server->dohpath, "/q{?dns}");
			assert_int_equal(server->port, 443);
		}
	}
	assert_true(is_refused(&plan, ENC_DNS, NULL));
	assert_true(is_refused(&plan, 3, "10.20.0.53"));
	plan_clear(&plan);
}

/* I32 */
static void test_scope_bit(void **state)
{
	struct request request;
	struct plan plan;

	/* Asked outside only where the user says so. */
	for (int i = 0; i < 2; i++) {
		reply_begin(&request);
		request.policy.enc_dns = ENC_DNS;
		request.policy.resolvers_outside_tunnel = i == 1;
		reply_enc_dns(&request, "\x81\1" MAPPED_OUTSIDE "dot.corp.example");
		reply_plain(&request, "10.20.0.53");
		plan = plan_of(&request);
		assert_int_equal(plan.resolvers.n, i);
		assert_true(i == 1 ? plan.resolvers.list[0].server.addresses[0].outside
						   : is_refused(&plan, ENC_DNS, "dot.corp.example"));
		plan_clear(&plan);
	}

	/* What is to be asked inside has to be there, whatever the user allows. */
	reply_begin(&request);
	request.policy.enc_dns = ENC_DNS;
	request.policy.resolvers_outside_tunnel = true;
	reply_enc_dns(&request, "\1\1" MAPPED_OUTSIDE "dot.corp.example");
	plan = plan_of(&request);
	assert_int_equal(plan.resolvers.n, 0);
	assert_true(is_refused(&plan, ENC_DNS, "192.0.2.53"));
	plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_unknown_params),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_odd_addresses),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_no_downgrade),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_faulty_pins),
		cmocka_unit_test(test_internal_enc_dns),
		cmocka_unit_test(test_scope_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
