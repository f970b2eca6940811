#include "plan.h"

#include <errno.h>
#include <string.h>
#include "wire/domain.h"
#include "bounds.h"
#include "subdomain.h"
#include "util.h"

void plan_clear(struct plan *plan)
{
	free(plan->nothing);
	resolvers_clear(&plan->resolvers);
	list_free(plan->domains);
	list_free(plan->waiting);
	for (size_t i = 0; i < plan->n_anchors; i++)
		free(plan->anchors[i].domain);
	free(plan->anchors);
	list_free(plan->insecure);
	refusals_clear(&plan->refusals);
	memset(plan, 0, sizeof(*plan));
}

bool plan_is_everything(const struct plan *plan)
{
	for (size_t i = 0; plan->domains && plan->domains[i]; i++)
		if (strcmp(plan->domains[i], ".") == 0)
			return true;
	return false;
}

size_t plan_usable(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->resolvers.n; i++)
		n += plan->resolvers.list[i].unusable == NULL;
	return n;
}

/* I20: every family that the connection has an address of is covered whole. */
static void find_kind(const struct request *request, struct plan *plan)
{
	static const int families[] = {AF_INET, AF_INET6};
	int outside = 0;

	plan->full = true;
	for (size_t i = 0; i < ELEMENTS(families); i++) {
		if (!request_has_family(request, families[i]))
			outside = families[i];
		else if (!selectors_cover(request->selectors, request->n_selectors, families[i]))
			plan->full = false;
	}
	plan->family_outside = plan->full ? outside : 0;
}

/* I28: takes a domain that may be used, unless another connection holds it. */
static int claim(const struct request *request, const struct claims *claims, const char *domain,
	struct plan *plan)
{
	const struct claim *holder = claims_against(claims, request->policy.organization, domain);
	cleanup_free char *why = NULL;
	int r;

	if (!holder && list_length(plan->domains) == LIMIT_DOMAINS)
		return refusals_add(&plan->refusals, WIRE_INTERNAL_DNS_DOMAIN, domain,
			"it is one too many for systemd-resolved");
	if (!holder)
		return list_add(&plan->domains, domain);
	r = format(&why, "%s holds it, or one above or below it, and is not of the same organization",
		holder->connection);
	if (r >= 0)
		r = list_add(&plan->waiting, domain);
	return r < 0 ? r : refusals_add(&plan->refusals, WIRE_INTERNAL_DNS_DOMAIN, domain, why);
}

static int add_domain(const struct request *request, const struct claims *claims,
	const char *domain, struct plan *plan)
{
	const char *why = NULL;

	if (list_has(plan->domains, domain) || list_has(plan->waiting, domain))
		return 0;
	if (!plan->resolvers.offered)
		why = "the gateway offers no resolver for it";
	else
		why = policy_refuses_domain(&request->policy, domain);
	if (why)
		return refusals_add(&plan->refusals, WIRE_INTERNAL_DNS_DOMAIN, domain, why);
	return claim(request, claims, domain, plan);
}

/* domain: the INTERNAL_DNS_DOMAIN that the anchor directly follows (I25), "" where there is none.
 */
static int add_anchor(const struct request *request, const struct attribute *attribute,
	const char *domain, struct plan *plan)
{
	struct planned_anchor planned = {}, *grown;
	char value[NAME_SIZE + 16];
	const char *why = NULL;

	if (trust_anchor_decode(
			WIRE_REPLY, span_of(attribute->value, attribute->length), &planned.anchor, &why) < 0)
		return refusals_add_octets(
			&plan->refusals, attribute->type, attribute->value, attribute->length, why);
	if (*domain == '\0')
		why = "it does not follow the domain that it is for";
	else if (!list_has(plan->domains, domain))
		why = "its domain was not accepted";
	else
		why = policy_refuses_anchor(&request->policy, domain, planned.anchor.algorithm);
	if (why) {
		snprintf(value, sizeof(value), "%s%skey %u", domain, *domain ? ", " : "",
			planned.anchor.key_tag);
		return refusals_add(&plan->refusals, attribute->type, value, why);
	}
	planned.domain = strdup(domain);
	grown =
		planned.domain ? reallocarray(plan->anchors, plan->n_anchors + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(planned.domain);
		return -ENOMEM;
	}
	grown[plan->n_anchors++] = planned;
	plan->anchors = grown;
	return 0;
}

static int read_domain(const struct request *request, const struct claims *claims,
	const struct attribute *attribute, char domain[NAME_SIZE], struct plan *plan)
{
	const char *why;
	struct span name;

	domain[0] = '\0';
	if (domain_decode(WIRE_REPLY, span_of(attribute->value, attribute->length), &name, &why) < 0 ||
		name_normalise(name, NAME_DOMAIN, domain, &why) < 0)
		return refusals_add_octets(
			&plan->refusals, attribute->type, attribute->value, attribute->length, why);
	return add_domain(request, claims, domain, plan);
}

static int read_domains(
	const struct request *request, const struct claims *claims, struct plan *plan, bool *ret_named)
{
	char domain[NAME_SIZE] = "";
	int r = 0;

	for (size_t i = 0; i < request->n_attributes && r >= 0; i++) {
		const struct attribute *attribute = &request->attributes[i];

		if (attribute->type == WIRE_INTERNAL_DNS_DOMAIN) {
			*ret_named = true;
			r = read_domain(request, claims, attribute, domain, plan);
		} else if (attribute->type == WIRE_INTERNAL_DNSSEC_TA) {
			r = add_anchor(request, attribute, domain, plan);
		} else {
			domain[0] = '\0';
		}
	}
	return r;
}

static int make_everything(
	const struct request *request, const struct claims *claims, struct plan *plan)
{
	int r;

	r = claim(request, claims, ".", plan);
	if (r < 0 || plan->domains)
		return r;
	return format(&plan->nothing, "another connection has everything already");
}

static bool has_anchor(const struct plan *plan, const char *domain)
{
	for (size_t i = 0; i < plan->n_anchors; i++)
		if (subdomain_equal(plan->anchors[i].domain, domain))
			return true;
	return false;
}

static bool has_anchor_below(const struct plan *plan, const char *domain)
{
	for (size_t i = 0; i < plan->n_anchors; i++)
		if (subdomain_of(plan->anchors[i].domain, domain))
			return true;
	return false;
}

/* A link's negative anchors count before any positive one: see I26 and RFC 7646, section 1.1. */
static int find_insecure(const struct request *request, struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; plan->domains && plan->domains[i] && r >= 0; i++) {
		const char *domain = plan->domains[i];

		if (!policy_calls_insecure(&request->policy, domain) || has_anchor(plan, domain))
			continue;
		if (has_anchor_below(plan, domain))
			r = refusals_add(&plan->refusals, WIRE_INTERNAL_DNS_DOMAIN, domain,
				"it cannot be an insecure domain: a domain below it has a trust anchor");
		else
			r = list_add(&plan->insecure, domain);
	}
	return r;
}

static bool has_anchor_above(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_anchors; i++)
		if (subdomain_of(name, plan->anchors[i].domain))
			return true;
	return false;
}

static int add_gateway_names(const struct request *request, struct plan *plan)
{
	char *const *names = request->gateway_hosts.names;
	int r = 0;

	for (size_t i = 0; names && names[i] && r >= 0; i++)
		if (has_anchor_above(plan, names[i]) && !has_anchor(plan, names[i]) &&
			!has_anchor_below(plan, names[i]) && !list_has(plan->insecure, names[i]))
			r = list_add(&plan->insecure, names[i]);
	return r;
}

static int make_split(const struct request *request, const struct claims *claims, struct plan *plan)
{
	bool named = false;
	const char *why;
	int r;

	r = read_domains(request, claims, plan, &named);
	if (r >= 0)
		r = find_insecure(request, plan);
	if (r >= 0)
		r = add_gateway_names(request, plan);
	if (r < 0 || plan->domains)
		return r;
	if (!plan->resolvers.offered)
		why = "the gateway offers no resolver";
	else if (plan->waiting)
		why = "another connection holds the gateway's domains";
	else if (named)
		why = "none of the gateway's domains is accepted";
	else if (request->policy.everything)
		return make_everything(request, claims, plan);
	else
		why = "split tunnel, and the gateway names no domains (without-domains = nothing)";
	return format(&plan->nothing, "%s", why);
}

static int make(
	const struct request *request, const struct claims *claims, uint32_t seed, struct plan *plan)
{
	int r;

	if (request->anonymous)
		return format(&plan->nothing, "the gateway is not authenticated");
	if (request->n_virtual_ips == 0)
		return format(&plan->nothing, "the connection has no virtual IP");
	find_kind(request, plan);
	r = resolvers_make(request, seed, &plan->resolvers, &plan->refusals);
	if (r < 0)
		return r;
	if (!plan->full)
		return make_split(request, claims, plan);
	if (!plan->resolvers.offered)
		return format(&plan->nothing, "the gateway offers no resolver");
	return make_everything(request, claims, plan);
}

int plan_make(
	const struct request *request, const struct claims *claims, uint32_t seed, struct plan *ret)
{
	struct plan plan = {};
	int r;

	r = make(request, claims, seed, &plan);
	if (r < 0) {
		plan_clear(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}
