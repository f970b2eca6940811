#include "policy.h"

#include <libpsl.h>
#include <string.h>
#include "subdomain.h"
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

static bool names_exactly(const struct policy *policy, const char *domain)
{
	for (size_t i = 0; policy->accept_domains && policy->accept_domains[i]; i++)
		if (subdomain_equal(policy->accept_domains[i], domain))
			return true;
	return false;
}

const char *policy_refuses_domain(const struct policy *policy, const char *domain)
{
	const psl_ctx_t *suffixes = psl_builtin();

	if (names_exactly(policy, domain))
		return NULL;
	if (strcmp(domain, ".") == 0)
		return "the root is no internal domain";
	if (subdomain_of_any(domain, special_use))
		return "a special-use name is no internal domain";
	/* Without a list nothing tells co.uk from example.com: better none than all. */
	if (!suffixes)
		return "there is no list of public suffixes to check it against";
	if (psl_is_public_suffix(suffixes, domain))
		return "a public suffix is no internal domain";
	if (policy->limits_domains && !subdomain_of_any(domain, policy->accept_domains))
		return "accept-domains does not list it";
	return NULL;
}
