#include "reply.h"

#include <stdio.h>
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

static void assert_domains(const struct plan *plan, size_t n, ...)
{
	va_list args;

	assert_int_equal(list_length(plan->domains), n);
	va_start(args, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(plan->domains[i], va_arg(args, const char *));
	va_end(args);
	assert_true(n > 0 ? plan->nothing == NULL : plan->nothing != NULL);
}

/* A reply with one resolver and one domain. */
static void usual(struct request *request)
{
	reply_begin(request);
	reply_dot(request, 1, "dns.corp.example", "10.20.0.53");
	reply_domain(request, "corp.example");
}

static void test_split(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	reply_domain(&request, "Lab.Corp.Example.");
	reply_domain(&request, "CORP.example");
	reply_domain(&request, "com");
	reply_domain(&request, "bad..example");
	reply_domain(&request, "x.onion");
	plan = plan_of(&request);
	assert_false(plan.full);
	assert_domains(&plan, 2, "corp.example", "lab.corp.example");
	assert_false(plan_is_everything(&plan));
	assert_int_equal(plan.refusals.n, 3);
	plan_clear(&plan);
}

/* As many as systemd-resolved takes of a link, whatever the gateway names. */
static void test_too_many_domains(void **state)
{
	char domain[32];
	struct request request;
	struct plan plan;

	usual(&request);
	for (unsigned i = 1; i < LIMIT_DOMAINS + 2 * LIMIT_REFUSALS; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		reply_domain(&request, domain);
	}
	plan = plan_of(&request);
	assert_null(plan.nothing);
	assert_int_equal(list_length(plan.domains), LIMIT_DOMAINS);
	assert_string_equal(plan.domains[0], "corp.example");
	assert_string_equal(plan.domains[LIMIT_DOMAINS - 1], "d255.example");
	assert_int_equal(plan.refusals.n, LIMIT_REFUSALS);
	assert_string_equal(plan.refusals.list[0].value, "d256.example");
	assert_int_equal(plan.refusals.n_left_out, LIMIT_REFUSALS);
	plan_clear(&plan);
}

/* I20 */
static void test_full(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	reply_full(&request);
	plan = plan_of(&request);
	assert_true(plan.full);
	assert_int_equal(plan.family_outside, AF_INET6);
	assert_domains(&plan, 1, ".");
	assert_true(plan_is_everything(&plan));
	assert_int_equal(plan.n_anchors, 0);
	plan_clear(&plan);

	/* With an IPv6 address, IPv6 has to be covered as well. */
	usual(&request);
	reply_full(&request);
	reply_virtual_ip(&request, "2001:db8:99::1");
	plan = plan_of(&request);
	assert_false(plan.full);
	assert_int_equal(plan.family_outside, 0);
	assert_domains(&plan, 1, "corp.example");
	plan_clear(&plan);

	usual(&request);
	reply_full(&request);
	reply_virtual_ip(&request, "2001:db8:99::1");
	reply_selector(&request, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	plan = plan_of(&request);
	assert_true(plan.full);
	assert_int_equal(plan.family_outside, 0);
	plan_clear(&plan);

	/* Without resolvers there is nothing to send names to. */
	reply_begin(&request);
	reply_full(&request);
	plan = plan_of(&request);
	assert_true(plan.full);
	assert_domains(&plan, 0);
	plan_clear(&plan);
}

/* I21 */
static void test_without_domains(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	plan = plan_of(&request);
	assert_domains(&plan, 0);
	plan_clear(&plan);

	reply_begin(&request);
	request.policy.everything = true;
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	plan = plan_of(&request);
	assert_false(plan.full);
	assert_domains(&plan, 1, ".");
	plan_clear(&plan);

	/* Domains that are all refused are not the same as none. */
	reply_begin(&request);
	request.policy.everything = true;
	reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
	reply_domain(&request, "com");
	plan = plan_of(&request);
	assert_domains(&plan, 0);
	plan_clear(&plan);
}

/* I22 */
static void test_accept_domains(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	reply_domain(&request, "other.example");
	request.policy.limits_domains = true;
	assert_int_equal(list_add(&request.policy.accept_domains, "corp.example"), 0);
	plan = plan_of(&request);
	assert_domains(&plan, 1, "corp.example");
	assert_int_equal(plan.refusals.n, 1);
	assert_string_equal(plan.refusals.list[0].value, "other.example");
	plan_clear(&plan);
}

/* I17, I18 */
static void test_resolvers_for_domains(void **state)
{
	struct request request;
	struct plan plan;

	reply_begin(&request);
	reply_domain(&request, "corp.example");
	plan = plan_of(&request);
	assert_domains(&plan, 0);
	assert_int_equal(plan.refusals.n, 1);
	plan_clear(&plan);

	reply_begin(&request);
	reply_domain(&request, "corp.example");
	reply_plain(&request, "10.20.0.53");
	plan = plan_of(&request);
	assert_domains(&plan, 1, "corp.example");
	assert_int_equal(plan_usable(&plan), 1);
	plan_clear(&plan);
}

/* I29 */
static void test_anonymous(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	request.anonymous = true;
	plan = plan_of(&request);
	assert_domains(&plan, 0);
	assert_int_equal(plan.resolvers.n, 0);
	plan_clear(&plan);
}

static void test_no_virtual_ip(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	request.n_virtual_ips = 0;
	plan = plan_of(&request);
	assert_domains(&plan, 0);
	plan_clear(&plan);
}

/* I24, I25 */
static void test_anchors(void **state)
{
	static const char anchor[] = "\x30\x39\x08\x02"
								 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";
	struct request request;
	struct plan plan;

	usual(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "corp.example"), 0);
	reply_add(&request, 26, anchor, sizeof(anchor) - 1); /* follows corp.example */
	reply_add(&request, 26, anchor, sizeof(anchor) - 1); /* and so does this one */
	reply_plain(&request, "10.20.0.53");
	reply_add(&request, 26, anchor, sizeof(anchor) - 1); /* follows nothing */
	reply_domain(&request, "com");
	reply_add(&request, 26, anchor, sizeof(anchor) - 1); /* of a domain that is refused */
	reply_domain(&request, "other.example");
	reply_add(&request, 26, anchor, sizeof(anchor) - 1); /* of a domain that is not on the list */
	plan = plan_of(&request);
	assert_int_equal(plan.n_anchors, 2);
	assert_string_equal(plan.anchors[1].domain, "corp.example");
	assert_int_equal(plan.anchors[1].anchor.key_tag, 12345);
	assert_int_equal(plan.refusals.n, 5); /* com, plain DNS, three anchors */
	assert_string_equal(plan.refusals.list[4].value, "other.example, key 12345");
	plan_clear(&plan);

	/* A bare TLD on the list doesn't count. */
	usual(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "example"), 0);
	reply_add(&request, 26, anchor, sizeof(anchor) - 1);
	plan = plan_of(&request);
	assert_int_equal(plan.n_anchors, 0);
	plan_clear(&plan);
}

/* I31: what is told of the peer's octets is plain text. */
static void test_refusals_are_readable(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	reply_add(&request, 25, "a\n%n\x1b[2J$(id)\xff", 14);
	plan = plan_of(&request);
	assert_int_equal(plan.refusals.n, 1);
	assert_string_equal(plan.refusals.list[0].value, "a\\x0a%n\\x1b[2J$(id)\\xff");
	plan_clear(&plan);
}

/* I28 */
static void test_claims(void **state)
{
	char *corp[] = {"corp.example", NULL}, *all[] = {".", NULL};
	const struct claim held[] = {{"first", "Corp", corp}, {"second", NULL, NULL}};
	const struct claim everything[] = {{"first", NULL, all}};
	static const char *const conflicting[] = {"corp.example", "lab.corp.example"};
	const struct claims claims = {held, 2}, full = {everything, 1};
	struct request request;
	struct plan plan;

	/* Equal, or below; what is beside it is free. */
	for (size_t i = 0; i < 2; i++) {
		reply_begin(&request);
		reply_dot(&request, 1, "dns.corp.example", "10.20.0.53");
		reply_domain(&request, conflicting[i]);
		reply_domain(&request, "othercorp.example");
		assert_int_equal(plan_make(&request, &claims, 1, &plan), 0);
		assert_domains(&plan, 1, "othercorp.example");
		assert_int_equal(list_length(plan.waiting), 1);
		assert_string_equal(plan.waiting[0], conflicting[i]);
		assert_int_equal(plan.refusals.n, 1);
		assert_non_null(strstr(plan.refusals.list[0].why, "first"));
		plan_clear(&plan);
		request_clear(&request);
	}

	/* Above. */
	corp[0] = "lab.corp.example";
	usual(&request);
	assert_int_equal(plan_make(&request, &claims, 1, &plan), 0);
	assert_domains(&plan, 0);
	assert_int_equal(list_length(plan.waiting), 1);
	plan_clear(&plan);

	/* Another organization is another, the same one shares. */
	request.policy.organization = strdup("Other");
	assert_int_equal(plan_make(&request, &claims, 1, &plan), 0);
	assert_domains(&plan, 0);
	plan_clear(&plan);
	strcpy(request.policy.organization, "Corp");
	assert_int_equal(plan_make(&request, &claims, 1, &plan), 0);
	assert_domains(&plan, 1, "corp.example");
	assert_null(plan.waiting);
	plan_clear(&plan);

	/* A full tunnel leaves domains to those who claim them, but there is one only. */
	assert_int_equal(plan_make(&request, &full, 1, &plan), 0);
	assert_domains(&plan, 1, "corp.example");
	plan_clear(&plan);
	reply_full(&request);
	assert_int_equal(plan_make(&request, &claims, 1, &plan), 0);
	assert_domains(&plan, 1, ".");
	plan_clear(&plan);
	assert_int_equal(plan_make(&request, &full, 1, &plan), 0);
	assert_domains(&plan, 0);
	plan_clear(&plan);
	request_clear(&request);
}

static const char sha1_anchor[] = "\0\1\x08\1abcdefghijklmnopqrst";

static void add_anchor(struct request *request)
{
	reply_add(request, 26, sha1_anchor, sizeof(sha1_anchor) - 1);
}

static void assert_insecure(const struct plan *plan, const char *expected)
{
	assert_int_equal(list_length(plan->insecure), expected ? 1 : 0);
	if (expected)
		assert_string_equal(plan->insecure[0], expected);
}

/* I26 */
static void test_insecure_domains(void **state)
{
	struct request request;
	struct plan plan;

	/* Named and without an anchor: insecure. Not named, or with an anchor, or not accepted: not. */
	usual(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "corp.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "corp.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "plain.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "com"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "absent.example"), 0);
	add_anchor(&request);
	reply_domain(&request, "plain.example");
	reply_domain(&request, "third.example");
	reply_domain(&request, "com");
	plan = plan_of(&request);
	assert_int_equal(plan.n_anchors, 1);
	assert_insecure(&plan, "plain.example");
	plan_clear(&plan);

	/* Nothing is without being named. */
	usual(&request);
	plan = plan_of(&request);
	assert_insecure(&plan, NULL);
	plan_clear(&plan);

	/* Below an anchored domain: that is what an insecure delegation is. */
	usual(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "corp.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "lab.corp.example"), 0);
	add_anchor(&request);
	reply_domain(&request, "lab.corp.example");
	plan = plan_of(&request);
	assert_insecure(&plan, "lab.corp.example");
	plan_clear(&plan);

	/* Above one it would switch the anchor off, wherever the two are in the reply. */
	usual(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "lab.corp.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "corp.example"), 0);
	reply_domain(&request, "lab.corp.example");
	add_anchor(&request);
	plan = plan_of(&request);
	assert_int_equal(plan.n_anchors, 1);
	assert_insecure(&plan, NULL);
	assert_int_equal(plan.refusals.n, 1);
	plan_clear(&plan);
}

/* The forwarder's own answer for the gateway is not signed; the anchor stays whole all the same. */
static void test_gateway_below_an_anchor(void **state)
{
	static const struct {
		const char *name, *insecure;
	} cases[] = {
		{"vpn.corp.example", "vpn.corp.example"},
		{"corp.example", NULL},
		{"example", NULL},
		{"vpn.other.example", NULL},
	};
	struct request request;
	struct plan plan;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		usual(&request);
		assert_int_equal(list_add(&request.policy.accept_trust_anchors, "corp.example"), 0);
		assert_int_equal(list_add(&request.gateway_hosts.names, cases[i].name), 0);
		add_anchor(&request);
		plan = plan_of(&request);
		assert_int_equal(plan.n_anchors, 1);
		assert_insecure(&plan, cases[i].insecure);
		plan_clear(&plan);
	}
}

/* I20: a full tunnel takes neither. */
static void test_full_tunnel_ignores_anchors(void **state)
{
	struct request request;
	struct plan plan;

	usual(&request);
	reply_full(&request);
	assert_int_equal(list_add(&request.policy.accept_trust_anchors, "corp.example"), 0);
	assert_int_equal(list_add(&request.policy.insecure_domains, "corp.example"), 0);
	add_anchor(&request);
	plan = plan_of(&request);
	assert_int_equal(plan.n_anchors, 0);
	assert_insecure(&plan, NULL);
	plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_too_many_domains),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_without_domains),
		cmocka_unit_test(test_accept_domains),
		cmocka_unit_test(test_resolvers_for_domains),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_no_virtual_ip),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_refusals_are_readable),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_insecure_domains),
		cmocka_unit_test(test_gateway_below_an_anchor),
		cmocka_unit_test(test_full_tunnel_ignores_anchors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
