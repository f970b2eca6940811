#include "pins.h"

#include <errno.h>
#include <string.h>
#include "wire/digest.h"
#include "wire/name.h"
#include "subdomain.h"
#include "util.h"

/* What the digests of a reply mean for one ADN. */
struct verdict {
	struct pin *pins;
	size_t n_pins;
	bool digested;  /* there is a digest for it, good or not */
	bool ambiguous; /* an empty ADN where the reply has several */
};

static int add_pin(struct verdict *verdict, const struct digest_reply *reply)
{
	struct pin *grown;

	grown = reallocarray(verdict->pins, verdict->n_pins + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	verdict->pins = grown;
	grown += verdict->n_pins++;
	memset(grown, 0, sizeof(*grown));
	grown->algorithm = reply->algorithm;
	grown->length = (uint8_t)reply->digest.len;
	memcpy(grown->digest, reply->digest.data, reply->digest.len);
	return 0;
}

/* Whether the digest is for the ADN; an empty one is for whatever ADN there is. */
static bool is_for(const struct digest_reply *reply, const char *adn)
{
	return reply->adn.len == 0 || name_equal(reply->adn, span_from_string(adn));
}

static int judge(const struct digest_reply *reply, const struct digest_request *asked,
	const char *adn, bool several, struct verdict *verdict)
{
	if (!is_for(reply, adn))
		return 0;
	verdict->digested = true;
	if (reply->adn.len == 0 && several)
		verdict->ambiguous = true;
	else if (!digest_reply_fault(reply, asked))
		return add_pin(verdict, reply);
	return 0;
}

static void what_was_asked(const struct request *request, struct digest_request *ret)
{
	if (request->n_algorithms == 0) {
		ret->algorithms[0] = DIGEST_SHA2_256;
		ret->n_algorithms = 1;
		return;
	}
	for (size_t i = 0; i < request->n_algorithms && i < DIGEST_ALGORITHMS_MAX; i++)
		ret->algorithms[ret->n_algorithms++] = request->algorithms[i];
}

/* Every digest that does nothing is told once, whatever number of ADNs there are. */
static int report(const struct digest_reply *reply, const struct digest_request *asked,
	char *const *adns, struct refusals *refusals)
{
	const char *why = NULL;
	bool known = false;

	for (size_t i = 0; adns && adns[i]; i++)
		known = known || is_for(reply, adns[i]);
	if (!known)
		why = "it names no resolver of the reply";
	else if (reply->adn.len == 0 && list_length(adns) > 1)
		why = "it does not say which of the reply's names it is for";
	else
		why = digest_reply_fault(reply, asked);
	if (!why)
		return 0;
	return refusals_add_octets(
		refusals, WIRE_ENCDNS_DIGEST_INFO, reply->adn.data, reply->adn.len, why);
}

static int gather(const struct request *request, const struct digest_request *asked,
	const char *adn, bool several, struct verdict *verdict)
{
	struct digest_reply reply;
	int r;

	for (size_t i = 0; i < request->n_attributes; i++) {
		const struct attribute *attribute = &request->attributes[i];

		if (attribute->type != WIRE_ENCDNS_DIGEST_INFO)
			continue;
		/* What cannot be read may have been meant for anybody, and nobody falls back to unpinned.
		 */
		if (digest_reply_decode(span_of(attribute->value, attribute->length), &reply, NULL) < 0)
			verdict->digested = true;
		else if ((r = judge(&reply, asked, adn, several, verdict)) < 0)
			return r;
	}
	return 0;
}

static int attach(struct resolver *resolver, const struct verdict *verdict)
{
	const char *why = NULL;

	if (verdict->ambiguous)
		why = "a digest of the reply does not say which of its names it is for";
	else if (verdict->digested && verdict->n_pins == 0)
		why = "none of its digests can be used";
	if (why && !resolver->unusable) {
		resolver->unusable = strdup(why);
		return resolver->unusable ? 0 : -ENOMEM;
	}
	if (why || verdict->n_pins == 0)
		return 0;
	resolver->server.pins = calloc(verdict->n_pins, sizeof(struct pin));
	if (!resolver->server.pins)
		return -ENOMEM;
	memcpy(resolver->server.pins, verdict->pins, verdict->n_pins * sizeof(struct pin));
	resolver->server.n_pins = verdict->n_pins;
	return 0;
}

int pins_attach(const struct request *request, char *const *adns, struct resolvers *resolvers,
	struct refusals *refusals)
{
	struct digest_request asked = {};
	struct digest_reply reply;
	const char *why;
	bool several = list_length(adns) > 1;
	int r = 0;

	what_was_asked(request, &asked);
	for (size_t i = 0; i < request->n_attributes && r >= 0; i++) {
		const struct attribute *attribute = &request->attributes[i];

		if (attribute->type != WIRE_ENCDNS_DIGEST_INFO)
			continue;
		if (digest_reply_decode(span_of(attribute->value, attribute->length), &reply, &why) < 0)
			r = refusals_add_octets(
				refusals, attribute->type, attribute->value, attribute->length, why);
		else
			r = report(&reply, &asked, adns, refusals);
	}
	for (size_t i = 0; i < resolvers->n && r >= 0; i++) {
		struct verdict verdict = {};

		r = gather(request, &asked, resolvers->list[i].server.adn, several, &verdict);
		if (r >= 0)
			r = attach(&resolvers->list[i], &verdict);
		free(verdict.pins);
	}
	return r;
}
