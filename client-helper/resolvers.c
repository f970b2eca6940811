#include "resolvers.h"

#include <errno.h>
#include <string.h>
#include "wire/enc_dns.h"
#include "wire/encdns.h"
#include "wire/name.h"
#include "bounds.h"
#include "pins.h"
#include "util.h"

#define PORT_DNS 53
#define PORT_DOT 853
#define PORT_DOH 443

/* The transports that we speak, the best first: where an entry offers several, one is enough. */
static const struct {
	const char *alpn;
	enum transport transport;
	uint16_t port;
} transports[] = {
	{"dot", TRANSPORT_DOT, PORT_DOT},
	{"h2", TRANSPORT_DOH, PORT_DOH},
};

static void resolver_clear(struct resolver *resolver)
{
	server_clear(&resolver->server);
	free(resolver->unusable);
	resolver->unusable = NULL;
}

void resolvers_clear(struct resolvers *resolvers)
{
	for (size_t i = 0; i < resolvers->n; i++)
		resolver_clear(&resolvers->list[i]);
	free(resolvers->list);
	memset(resolvers, 0, sizeof(*resolvers));
}

/* Takes what *resolver owns on success. */
static int append(struct resolvers *resolvers, struct resolver *resolver)
{
	struct resolver *grown;

	grown = reallocarray(resolvers->list, resolvers->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[resolvers->n++] = *resolver;
	resolvers->list = grown;
	memset(resolver, 0, sizeof(*resolver));
	return 0;
}

/* Why nobody could be asked at such an address, whatever the selectors say; NULL where one could.
 */
static const char *address_fault(const struct address *address)
{
	const uint8_t *bytes = address->bytes;
	uint32_t host;

	if (address->family == AF_INET) {
		host = ntohl(address->in.s_addr);
		return host >> 24 == 0 || host >> 24 == 127 || host >> 28 >= 14 || host >> 16 == 0xa9fe
				   ? "it is no address of a host in a network"
				   : NULL;
	}
	return IN6_IS_ADDR_UNSPECIFIED(&address->in6) || IN6_IS_ADDR_LOOPBACK(&address->in6) ||
				   IN6_IS_ADDR_V4MAPPED(&address->in6) || bytes[0] == 0xff ||
				   (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80)
			   ? "it is no address of a host in a network"
			   : NULL;
}

/* Where a resolver may be asked. */
enum scope {
	SCOPE_PLAIN,    /* in the tunnel: it is plain DNS (I17) */
	SCOPE_INSIDE,   /* in the tunnel: nobody wants it otherwise */
	SCOPE_ANYWHERE, /* wherever its address is: the user's wish */
	SCOPE_OUTSIDE,  /* outside: the gateway's wish, and the user's (I32) */
};

static enum scope scope_of(const struct request *request)
{
	return request->policy.resolvers_outside_tunnel ? SCOPE_ANYWHERE : SCOPE_INSIDE;
}

/* NULL where the resolver may be asked at the address; then *ret_outside says from where. */
static const char *address_refused(const struct request *request, const struct address *address,
	enum scope scope, bool *ret_outside)
{
	const char *fault = address_fault(address);
	bool inside;

	if (fault)
		return fault;
	inside = scope != SCOPE_OUTSIDE &&
			 selectors_contain(request->selectors, request->n_selectors, address);
	if (inside && !request_has_family(request, address->family))
		return "the connection has no virtual IP of its family to ask it from";
	if (!inside && scope == SCOPE_PLAIN)
		return "it is outside the tunnel, and plain DNS is asked inside only";
	if (!inside && scope == SCOPE_INSIDE)
		return "it is outside the tunnel";
	*ret_outside = !inside;
	return NULL;
}

/* INTERNAL_ENC_DNS has IPv4 addresses mapped into IPv6 ones. */
static int read_mapped(const uint8_t *octets, struct address *ret)
{
	struct in6_addr six;

	memcpy(&six, octets, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return address_from_bytes(octets + 12, 4, ret);
	return address_from_bytes(octets, sizeof(six), ret);
}

static int add_addresses(const struct request *request, uint16_t type, enum scope scope,
	struct span octets, struct server *server, struct refusals *refusals)
{
	bool mapped = request->policy.enc_dns == type;
	size_t length = mapped ? ENC_DNS_ADDRESS_LENGTH : wire_address_length(type);
	size_t n = octets.len / length;
	cleanup_free char *what = NULL;
	char text[ADDRESS_TEXT];
	struct address address;
	const char *why;
	int r;

	server->addresses = calloc(n, sizeof(*server->addresses));
	if (!server->addresses)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *bytes = octets.data + i * length;

		r = mapped ? read_mapped(bytes, &address) : address_from_bytes(bytes, length, &address);
		if (r < 0)
			return r;
		why = address_refused(request, &address, scope, &address.outside);
		if (!why) {
			server->addresses[server->n_addresses++] = address;
			continue;
		}
		address_to_text(&address, text);
		set_text(&what, server->adn ? "%s (%s)" : "%s", text, server->adn);
		if (!what)
			return -ENOMEM;
		r = refusals_add(refusals, type, what, why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* I9, I10: the first transport of ours that the entry offers, or why there is none. */
static int choose_transport(const struct svcparams *params, struct resolver *resolver)
{
	struct server *server = &resolver->server;
	const char *why = params->n_alpn == 0 ? "it names no transport (alpn)"
										  : "it offers no transport that is spoken here (dot, h2)";

	for (size_t i = 0; i < ELEMENTS(transports); i++) {
		if (!svcparams_has_alpn(params, transports[i].alpn))
			continue;
		if (transports[i].transport == TRANSPORT_DOH && !params->has_dohpath) {
			why = "it offers DoH without a path (dohpath)";
			continue;
		}
		server->transport = transports[i].transport;
		server->port = params->has_port ? params->port : transports[i].port;
		if (server->transport != TRANSPORT_DOH)
			return 0;
		server->dohpath = strndup((const char *)params->dohpath.data, params->dohpath.len);
		return server->dohpath ? 0 : -ENOMEM;
	}
	server->transport = TRANSPORT_DOT;
	server->port = params->has_port ? params->port : PORT_DOT;
	resolver->unusable = strdup(why);
	return resolver->unusable ? 0 : -ENOMEM;
}

static int add_encrypted(const struct request *request, const struct attribute *attribute,
	const struct encdns *encdns, const char *adn, struct resolvers *resolvers,
	struct refusals *refusals)
{
	struct resolver resolver = {.server = {.priority = encdns->priority}};
	int r;

	resolver.server.adn = strdup(adn);
	r = resolver.server.adn ? choose_transport(&encdns->params, &resolver) : -ENOMEM;
	if (r >= 0)
		r = add_addresses(request, attribute->type, scope_of(request), encdns->addresses,
			&resolver.server, refusals);
	if (r >= 0 && resolver.server.n_addresses > 0)
		r = append(resolvers, &resolver);
	resolver_clear(&resolver);
	return r;
}

/* adn: passed name_check(). */
static int add_adn(char ***adns, struct span name, char adn[NAME_SIZE])
{
	int r;

	r = name_normalise(name, NAME_HOST, adn, NULL);
	return r < 0 || list_has(*adns, adn) ? r : list_add(adns, adn);
}

static int refuse_encrypted(
	const struct attribute *attribute, const char *why, char ***adns, struct refusals *refusals)
{
	struct span value = span_of(attribute->value, attribute->length), name;
	char adn[NAME_SIZE];
	int r;

	r = encdns_find_adn(attribute->type, value, &name) == 0 ? add_adn(adns, name, adn) : 0;
	if (r < 0)
		return r;
	return refusals_add_octets(refusals, attribute->type, value.data, value.len, why);
}

/* adns gets every name of the reply once, refused entries' too: the digests go by them (I11). */
static int read_encrypted(const struct request *request, struct resolvers *resolvers, char ***adns,
	struct refusals *refusals)
{
	int r = 0;

	for (size_t i = 0; i < request->n_attributes && r >= 0; i++) {
		const struct attribute *attribute = &request->attributes[i];
		struct encdns encdns;
		char adn[NAME_SIZE];
		const char *why;

		if (attribute->type != WIRE_ENCDNS_IP4 && attribute->type != WIRE_ENCDNS_IP6)
			continue;
		resolvers->offered = true;
		if (encdns_decode(attribute->type, WIRE_REPLY, span_of(attribute->value, attribute->length),
				&encdns, &why) < 0) {
			r = refuse_encrypted(attribute, why, adns, refusals);
			continue;
		}
		r = add_adn(adns, encdns.adn, adn);
		if (r >= 0)
			r = add_encrypted(request, attribute, &encdns, adn, resolvers, refusals);
	}
	return r;
}

/*
 * It has no port, no priority and no path on the wire: those are the protocol's own, behind all
 * others, and the configuration's.
 */
static int add_internal(const struct request *request, const struct attribute *attribute,
	const struct enc_dns *enc_dns, const char *adn, struct resolvers *resolvers,
	struct refusals *refusals)
{
	bool doh = enc_dns->kind == ENC_DNS_DOH;
	struct resolver resolver = {.server = {
									.priority = UINT16_MAX,
									.transport = doh ? TRANSPORT_DOH : TRANSPORT_DOT,
									.port = doh ? PORT_DOH : PORT_DOT,
								}};
	enum scope scope = enc_dns->outside ? SCOPE_OUTSIDE : SCOPE_INSIDE;
	int r;

	if (enc_dns->outside && !request->policy.resolvers_outside_tunnel)
		return refusals_add(refusals, attribute->type, adn,
			"the gateway wants it asked outside the tunnel (resolvers-outside-tunnel = no)");
	r = copy_text(&resolver.server.adn, adn);
	if (r >= 0 && doh)
		r = copy_text(&resolver.server.dohpath, request->policy.dohpath);
	if (r >= 0)
		r = add_addresses(
			request, attribute->type, scope, enc_dns->addresses, &resolver.server, refusals);
	if (r >= 0 && doh && !resolver.server.dohpath)
		r = copy_text(&resolver.unusable, "there is no path (dohpath) for it");
	if (r >= 0 && resolver.server.n_addresses > 0)
		r = append(resolvers, &resolver);
	resolver_clear(&resolver);
	return r;
}

/* INTERNAL_ENC_DNS, where the configuration gives it a number (I32). */
static int read_internal(const struct request *request, struct resolvers *resolvers, char ***adns,
	struct refusals *refusals)
{
	int r = 0;

	for (size_t i = 0; i < request->n_attributes && r >= 0; i++) {
		const struct attribute *attribute = &request->attributes[i];
		struct span value = span_of(attribute->value, attribute->length);
		struct enc_dns enc_dns;
		char adn[NAME_SIZE];
		const char *why;

		if (request->policy.enc_dns == 0 || attribute->type != request->policy.enc_dns)
			continue;
		resolvers->offered = true;
		if (enc_dns_decode(WIRE_REPLY, value, &enc_dns, &why) < 0) {
			r = refusals_add_octets(refusals, attribute->type, value.data, value.len, why);
			continue;
		}
		r = add_adn(adns, enc_dns.adn, adn);
		if (r >= 0)
			r = add_internal(request, attribute, &enc_dns, adn, resolvers, refusals);
	}
	return r;
}

static int add_plain(const struct request *request, const struct attribute *attribute,
	bool encrypted_offered, struct resolvers *resolvers, struct refusals *refusals)
{
	struct resolver resolver = {.server = {.transport = TRANSPORT_PLAIN, .port = PORT_DNS}};
	char text[ADDRESS_TEXT];
	struct address address;
	const char *why = NULL;
	int r;

	if (attribute->length != wire_address_length(attribute->type) ||
		address_from_bytes(attribute->value, attribute->length, &address) < 0)
		return refusals_add_octets(
			refusals, attribute->type, attribute->value, attribute->length, "it is no address");
	if (encrypted_offered)
		why = "the gateway offers encrypted DNS, so plain DNS is not used";
	else if (request->policy.require_encrypted)
		why = "require-encrypted = yes";
	if (why)
		return refusals_add(refusals, attribute->type, address_to_text(&address, text), why);
	r = add_addresses(request, attribute->type, SCOPE_PLAIN,
		span_of(attribute->value, attribute->length), &resolver.server, refusals);
	if (r >= 0 && resolver.server.n_addresses > 0)
		r = append(resolvers, &resolver);
	resolver_clear(&resolver);
	return r;
}

static int read_plain(
	const struct request *request, struct resolvers *resolvers, struct refusals *refusals)
{
	bool encrypted_offered = resolvers->offered;
	int r;

	for (size_t i = 0; i < request->n_attributes; i++) {
		const struct attribute *attribute = &request->attributes[i];

		if ((attribute->type != WIRE_INTERNAL_IP4_DNS &&
				attribute->type != WIRE_INTERNAL_IP6_DNS) ||
			attribute->length == 0)
			continue;
		resolvers->offered = true;
		r = add_plain(request, attribute, encrypted_offered, resolvers, refusals);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Numerical Recipes' generator: only has to differ from machine to machine. */
static uint32_t next(uint32_t *seed)
{
	return *seed = *seed * 1664525 + 1013904223;
}

/* Shuffles, then sorts by insertion, which keeps equal ones in the order that they have. */
static void order(struct resolvers *resolvers, uint32_t seed)
{
	struct resolver *list = resolvers->list, moved;
	size_t j;

	for (size_t i = resolvers->n; i > 1; i--) {
		j = (next(&seed) >> 16) % i;
		moved = list[i - 1];
		list[i - 1] = list[j];
		list[j] = moved;
	}
	for (size_t i = 1; i < resolvers->n; i++) {
		moved = list[i];
		for (j = i; j > 0 && list[j - 1].server.priority > moved.server.priority; j--)
			list[j] = list[j - 1];
		list[j] = moved;
	}
}

static const char too_many[] = "there are enough of the same or a better priority";

/* The best LIMIT_SERVERS stay. */
static int cut(struct resolvers *resolvers, struct refusals *refusals)
{
	int r = 0;

	while (resolvers->n > LIMIT_SERVERS && r >= 0) {
		struct resolver *last = &resolvers->list[--resolvers->n];
		bool six = last->server.addresses[0].family == AF_INET6;
		char text[ADDRESS_TEXT];

		if (last->server.adn)
			r = refusals_add(
				refusals, six ? WIRE_ENCDNS_IP6 : WIRE_ENCDNS_IP4, last->server.adn, too_many);
		else
			r = refusals_add(refusals, six ? WIRE_INTERNAL_IP6_DNS : WIRE_INTERNAL_IP4_DNS,
				address_to_text(&last->server.addresses[0], text), too_many);
		resolver_clear(last);
	}
	return r;
}

int resolvers_make(
	const struct request *request, uint32_t seed, struct resolvers *ret, struct refusals *refusals)
{
	cleanup_list char **adns = NULL;
	int r;

	r = read_encrypted(request, ret, &adns, refusals);
	if (r >= 0)
		r = read_internal(request, ret, &adns, refusals);
	if (r >= 0)
		r = pins_attach(request, adns, ret, refusals);
	if (r >= 0)
		r = read_plain(request, ret, refusals);
	if (r < 0)
		return r;
	order(ret, seed);
	return cut(ret, refusals);
}
