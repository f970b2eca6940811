#include "policy.h"

#include <string.h>
#include "wire/name.h"
#include "subdomain.h"
#include "suffix.h"
#include "util.h"

/* RFC 6761 and the reverse zones of loopback; what is below them too (I33). */
static char *const special_use[] = {
	"localhost",
	"invalid",
	"local",
	"onion",
	"127.in-addr.arpa",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	NULL,
};

#define OVERRIDE " override"

void policy_clear(struct policy *policy)
{
	list_free(policy->accept_domains);
	list_free(policy->accept_trust_anchors);
	list_free(policy->insecure_domains);
	free(policy->organization);
	free(policy->dohpath);
	free(policy->ca_certificates);
	memset(policy, 0, sizeof(*policy));
}

static bool names_exactly(char *const *list, const char *domain)
{
	for (size_t i = 0; list && list[i]; i++)
		if (subdomain_equal(list[i], domain))
			return true;
	return false;
}

const char *policy_refuses_domain(const struct policy *policy, const char *domain)
{
	int is_public;

	if (names_exactly(policy->accept_domains, domain))
		return NULL;
	if (strcmp(domain, ".") == 0)
		return "the root is no internal domain";
	if (subdomain_of_any(domain, special_use))
		return "a special-use name is no internal domain";
	is_public = suffix_is_public(domain);
	/* Without a list nothing tells co.uk from example.com: better none than all. */
	if (is_public < 0)
		return "there is no list of public suffixes to check it against";
	if (is_public)
		return "a public suffix is no internal domain";
	if (policy->limits_domains && !subdomain_of_any(domain, policy->accept_domains))
		return "accept-domains does not list it";
	return NULL;
}

/* The root and top-level domains: whoever may anchor them may sign for everybody below. */
static bool is_bare(const char *name)
{
	const char *dot = strchr(name, '.');

	return !dot || dot[1] == '\0';
}

/* Those that systemd-resolved validates. With any other the zone passes for an unsigned one. */
static bool is_validated(uint8_t algorithm)
{
	static const uint8_t algorithms[] = {
		5,  /* RSASHA1 */
		7,  /* RSASHA1-NSEC3-SHA1 */
		8,  /* RSASHA256 */
		10, /* RSASHA512 */
		13, /* ECDSAP256SHA256 */
		14, /* ECDSAP384SHA384 */
		15, /* ED25519 */
	};

	return memchr(algorithms, algorithm, sizeof(algorithms)) != NULL;
}

const char *policy_refuses_anchor(
	const struct policy *policy, const char *domain, uint8_t algorithm)
{
	const char *why = "accept-trust-anchors does not list its domain";

	for (size_t i = 0; policy->accept_trust_anchors && policy->accept_trust_anchors[i]; i++) {
		const char *item = policy->accept_trust_anchors[i];
		size_t length = strcspn(item, " ");
		char name[NAME_SIZE];

		if (length >= sizeof(name))
			continue;
		memcpy(name, item, length);
		name[length] = '\0';
		if (!subdomain_of(domain, name))
			continue;
		if (!is_bare(name) || strcmp(item + length, OVERRIDE) == 0)
			return is_validated(algorithm)
					   ? NULL
					   : "systemd-resolved does not validate with its key's algorithm";
		why = "accept-trust-anchors lists a top-level domain without override";
	}
	return why;
}

bool policy_calls_insecure(const struct policy *policy, const char *domain)
{
	return names_exactly(policy->insecure_domains, domain);
}
