#include "encdns_value.h"
#include "encdns_name.h"

#include "wire/bounds.h"
#include "wire/dohpath.h"
#include "wire/enc_dns.h"
#include "wire/encdns.h"
#include "wire/hex.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/**
 * Parses one item of a list into what the list keeps; NULL where something is wrong.
 */
typedef void *(*item_parser_t)(const encdns_place_t *place, char *item);

/**
 * Report that a value is not what it should be.
 */
static void complain(const encdns_place_t *place, const char *text,
					 const char *what, const char *why)
{
	place->report->add(place->report, place->path, "\"%s\" is not %s%s%s",
					   text, what, why ? ": " : "", why ?: "");
}

/**
 * Parse a comma-separated list, item by item.
 */
static void parse_list(const encdns_place_t *place, const char *text,
					   linked_list_t **list, item_parser_t parse)
{
	enumerator_t *enumerator;
	char *item;
	void *value;

	if (!*list)
	{
		*list = linked_list_create();
	}
	enumerator = enumerator_create_token(text, ",", " \t");
	while (enumerator->enumerate(enumerator, &item))
	{
		value = parse(place, item);
		if (value)
		{
			(*list)->insert_last(*list, value);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Free a list with what it holds.
 */
static void clear_list(linked_list_t **list, void (*destroy)(void*))
{
	if (*list)
	{
		(*list)->destroy_function(*list, destroy);
		*list = NULL;
	}
}

static void clear_string(void *member)
{
	char **string = member;

	free(*string);
	*string = NULL;
}

static void clear_strings(void *member)
{
	clear_list(member, free);
}

static void clear_nothing(void *member)
{
}

/**
 * Parse a number from a range.
 */
static void parse_number(const encdns_place_t *place, const char *text,
						 unsigned long min, unsigned long max,
						 uint16_t *number, const char *what)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno ||
		value < min || value > max)
	{
		complain(place, text, what, NULL);
		return;
	}
	*number = value;
}

static void parse_port(const encdns_place_t *place, const char *text,
					   void *member)
{
	parse_number(place, text, 1, UINT16_MAX, member, "a port");
}

static void parse_priority(const encdns_place_t *place, const char *text,
						   void *member)
{
	parse_number(place, text, 1, UINT16_MAX, member,
				 "a service priority from 1 to 65535");
}

static void parse_private_type(const encdns_place_t *place, const char *text,
							   void *member)
{
	parse_number(place, text, ENC_DNS_TYPE_MIN, ENC_DNS_TYPE_MAX, member,
				 "a private-use attribute type from 16384 to 32767");
}

static void parse_text(const encdns_place_t *place, const char *text,
					   void *member)
{
	*(char**)member = strdup(text);
}

static void parse_choice(const encdns_place_t *place, const char *text,
						 void *member)
{
	enumerator_t *enumerator;
	char *choice, **chosen = member;

	enumerator = enumerator_create_token(place->choices, " ", "");
	while (!*chosen && enumerator->enumerate(enumerator, &choice))
	{
		if (streq(choice, text))
		{
			*chosen = strdup(choice);
		}
	}
	enumerator->destroy(enumerator);
	if (!*chosen)
	{
		place->report->add(place->report, place->path,
						   "\"%s\" is not one of: %s", text, place->choices);
	}
}

static void parse_bool(const encdns_place_t *place, const char *text,
					   void *member)
{
	char *value = strdupnull(text);
	bool yes = settings_value_as_bool(value, FALSE);

	/* strongSwan takes what it does not know for the default */
	if (yes != settings_value_as_bool(value, TRUE))
	{
		complain(place, text, "yes or no", NULL);
	}
	*(bool*)member = yes;
	free(value);
}

static void parse_host(const encdns_place_t *place, const char *text,
					   void *member)
{
	char name[NAME_SIZE];
	const char *why;

	if (!encdns_name_normalise(text, NAME_HOST, name, &why))
	{
		complain(place, text, "a host name", why);
		return;
	}
	*(char**)member = strdup(name);
}

static void parse_dohpath(const encdns_place_t *place, const char *text,
						  void *member)
{
	const char *why;

	if (dohpath_check(span_from_string(text), &why))
	{
		complain(place, text, "a URI template for DoH", why);
		return;
	}
	*(char**)member = strdup(text);
}

/**
 * The absolute path of a file that may be in a subfolder of swanctl's.
 */
static char *locate(const encdns_place_t *place, const char *subfolder,
					const char *file)
{
	char *path;

	if (path_absolute(file))
	{
		return strdup(file);
	}
	if (asprintf(&path, "%s/%s/%s", place->folder, subfolder, file) < 0)
	{
		return NULL;
	}
	return path;
}

static void parse_ca_file(const encdns_place_t *place, const char *text,
						  void *member)
{
	char *path = locate(place, "x509ca", text);

	if (!path || access(path, R_OK))
	{
		place->report->add(place->report, place->path, "cannot read %s: %s",
						   path ?: text, strerror(errno));
		free(path);
		return;
	}
	*(char**)member = path;
}

static void *parse_word(const encdns_place_t *place, char *item)
{
	return strdup(item);
}

static void parse_words(const encdns_place_t *place, const char *text,
						void *member)
{
	parse_list(place, text, member, parse_word);
}

static void *parse_domain(const encdns_place_t *place, char *item)
{
	char name[NAME_SIZE];
	const char *why;

	if (!encdns_name_normalise(item, NAME_DOMAIN, name, &why))
	{
		complain(place, item, "a domain", why);
		return NULL;
	}
	return strdup(name);
}

static void parse_domains(const encdns_place_t *place, const char *text,
						  void *member)
{
	parse_list(place, text, member, parse_domain);
}

/**
 * A domain, and perhaps "override" behind it; the same with one blank between.
 */
static void *parse_overridable(const encdns_place_t *place, char *item)
{
	char *domain, *blank, *result = NULL;

	blank = item + strcspn(item, " \t");
	if (!*blank)
	{
		return parse_domain(place, item);
	}
	if (!streq(blank + strspn(blank, " \t"), "override"))
	{
		complain(place, item, "a domain, or a domain and override", NULL);
		return NULL;
	}
	*blank = '\0';
	domain = parse_domain(place, item);
	if (domain && asprintf(&result, "%s override", domain) < 0)
	{
		result = NULL;
	}
	free(domain);
	return result;
}

static void parse_overridables(const encdns_place_t *place, const char *text,
							   void *member)
{
	parse_list(place, text, member, parse_overridable);
}

static void *parse_protocol(const encdns_place_t *place, char *item)
{
	static char *known[] = { "dot", "h2", "h3", "doq" };
	u_int i;

	for (i = 0; i < countof(known); i++)
	{
		if (streq(known[i], item))
		{
			return strdup(item);
		}
	}
	complain(place, item, "one of: dot, h2, h3, doq", NULL);
	return NULL;
}

static void parse_alpn(const encdns_place_t *place, const char *text,
					   void *member)
{
	parse_list(place, text, member, parse_protocol);
}

static void *parse_identity(const encdns_place_t *place, char *item)
{
	return identification_create_from_string(item);
}

static void parse_identities(const encdns_place_t *place, const char *text,
							 void *member)
{
	parse_list(place, text, member, parse_identity);
}

static void destroy_identity(void *item)
{
	identification_t *identity = item;

	identity->destroy(identity);
}

static void clear_identities(void *member)
{
	clear_list(member, destroy_identity);
}

static void *parse_pin(const encdns_place_t *place, char *item)
{
	encdns_pin_t *pin;
	const char *why;

	INIT(pin);
	if (digest_parse(span_from_string(item), &pin->algorithm, pin->digest, &why))
	{
		complain(place, item, "a pin like sha256:HEX", why);
		free(pin);
		return NULL;
	}
	return pin;
}

static void parse_pins(const encdns_place_t *place, const char *text,
					   void *member)
{
	parse_list(place, text, member, parse_pin);
}

/**
 * The hash that libstrongswan knows an algorithm by.
 */
static hash_algorithm_t hash_of(const struct digest_algorithm *algorithm)
{
	switch (algorithm->id)
	{
		case DIGEST_SHA2_256:
			return HASH_SHA256;
		case DIGEST_SHA2_384:
			return HASH_SHA384;
		default:
			return HASH_SHA512;
	}
}

/**
 * Digest something with an algorithm.
 */
static bool digest(const struct digest_algorithm *algorithm, chunk_t data,
				   uint8_t *result)
{
	hasher_t *hasher;
	bool done = FALSE;

	hasher = lib->crypto->create_hasher(lib->crypto, hash_of(algorithm));
	if (hasher)
	{
		done = hasher->get_hash_size(hasher) == algorithm->length &&
			   hasher->get_hash(hasher, data, result);
		hasher->destroy(hasher);
	}
	return done;
}

/**
 * The SPKI digests of a certificate.
 */
static bool digest_certificate(certificate_t *cert, encdns_certificate_t *out)
{
	public_key_t *key;
	chunk_t spki = chunk_empty;
	bool done;
	int i;

	key = cert->get_public_key(cert);
	done = key && key->get_encoding(key, PUBKEY_SPKI_ASN1_DER, &spki);
	for (i = 0; done && i < ENCDNS_ALGORITHMS; i++)
	{
		out->digests[i].algorithm = digest_algorithm_at(i);
		done = digest(out->digests[i].algorithm, spki, out->digests[i].digest);
	}
	chunk_free(&spki);
	DESTROY_IF(key);
	return done;
}

static void *parse_certificate(const encdns_place_t *place, char *item)
{
	encdns_certificate_t *digests = NULL;
	certificate_t *cert = NULL;
	char *path;

	path = locate(place, "x509", item);
	if (!path || access(path, R_OK))
	{
		place->report->add(place->report, place->path, "cannot read %s: %s",
						   path ?: item, strerror(errno));
		free(path);
		return NULL;
	}
	cert = lib->creds->create(lib->creds, CRED_CERTIFICATE, CERT_X509,
							  BUILD_FROM_FILE, path, BUILD_END);
	if (!cert)
	{
		place->report->add(place->report, place->path,
						   "%s holds no X.509 certificate", path);
	}
	else
	{
		INIT(digests);
		if (!digest_certificate(cert, digests))
		{
			place->report->add(place->report, place->path,
						"cannot digest the public key of %s (is a plugin "
						"missing that knows its kind?)", path);
			free(digests);
			digests = NULL;
		}
		cert->destroy(cert);
	}
	free(path);
	return digests;
}

static void parse_certificates(const encdns_place_t *place, const char *text,
							   void *member)
{
	parse_list(place, text, member, parse_certificate);
}

/**
 * Read an unsigned number that ends the string.
 */
static bool read_number(const char *text, unsigned long max,
						unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *number <= max;
}

/**
 * Parse the fields of a DS record behind its domain.
 */
static bool parse_ds(char *fields[4], struct trust_anchor *anchor)
{
	unsigned long tag, algorithm, type;
	size_t len = strlen(fields[3]);

	if (!read_number(fields[0], UINT16_MAX, &tag) ||
		!read_number(fields[1], UINT8_MAX, &algorithm) ||
		!read_number(fields[2], UINT8_MAX, &type))
	{
		return FALSE;
	}
	anchor->key_tag = tag;
	anchor->algorithm = algorithm;
	anchor->digest_type = type;
	anchor->digest_length = trust_anchor_digest_length(type);
	return anchor->digest_length && len == 2 * anchor->digest_length &&
		   !hex_decode(span_of(fields[3], len), anchor->digest,
					   sizeof(anchor->digest));
}

static void destroy_anchor(void *item)
{
	encdns_anchor_t *anchor = item;

	free(anchor->domain);
	free(anchor);
}

static void *parse_anchor(const encdns_place_t *place, char *item)
{
	encdns_anchor_t *anchor;
	char *fields[5], *field, *copy, *position = NULL, name[NAME_SIZE];
	const char *why;
	bool fine = FALSE;
	int n = 0;

	INIT(anchor);
	copy = strdup(item);
	for (field = strtok_r(copy, " \t", &position); field && n < 5;
		 field = strtok_r(NULL, " \t", &position))
	{
		fields[n++] = field;
	}
	if (n == 5 && !field &&
		encdns_name_normalise(fields[0], NAME_DOMAIN, name, &why))
	{
		anchor->domain = strdup(name);
		fine = parse_ds(&fields[1], &anchor->anchor);
	}
	free(copy);
	if (!fine)
	{
		complain(place, item,
				 "a trust anchor (domain, key tag, algorithm, digest type, "
				 "digest in hex)", NULL);
		destroy_anchor(anchor);
		return NULL;
	}
	return anchor;
}

static void parse_anchors(const encdns_place_t *place, const char *text,
						  void *member)
{
	parse_list(place, text, member, parse_anchor);
}

static void clear_anchors(void *member)
{
	clear_list(member, destroy_anchor);
}

static void parse_addresses(const encdns_place_t *place, const char *text,
							void *member)
{
	chunk_t *addresses = member, *known;
	enumerator_t *enumerator;
	host_t *host;
	char *item;

	enumerator = enumerator_create_token(text, ",", " \t");
	while (enumerator->enumerate(enumerator, &item))
	{
		host = host_create_from_string(item, 0);
		if (!host || host->is_anyaddr(host))
		{
			complain(place, item, "an IP address", NULL);
		}
		else
		{
			known = &addresses[host->get_family(host) == AF_INET ? 0 : 1];
			*known = chunk_cat("mc", *known, host->get_address(host));
		}
		DESTROY_IF(host);
	}
	enumerator->destroy(enumerator);
	if (addresses[0].len / 4 > ENCDNS_ADDRESSES_MAX ||
		addresses[1].len / 16 > ENCDNS_ADDRESSES_MAX)
	{
		place->report->add(place->report, place->path,
						   "more than %d addresses of one family",
						   ENCDNS_ADDRESSES_MAX);
	}
}

static void clear_addresses(void *member)
{
	chunk_t *addresses = member;

	chunk_free(&addresses[0]);
	chunk_free(&addresses[1]);
}

static void parse_algorithms(const encdns_place_t *place, const char *text,
							 void *member)
{
	struct digest_request *algorithms = member;
	const struct digest_algorithm *algorithm;
	enumerator_t *enumerator;
	bool mandatory = FALSE;
	char *item;

	enumerator = enumerator_create_token(text, ",", " \t");
	while (enumerator->enumerate(enumerator, &item))
	{
		algorithm = digest_algorithm_by_name(span_from_string(item));
		if (!algorithm)
		{
			complain(place, item, "one of: sha256, sha384, sha512", NULL);
		}
		else if (algorithms->n_algorithms < ENCDNS_ALGORITHMS)
		{
			algorithms->algorithms[algorithms->n_algorithms++] = algorithm->id;
			mandatory = mandatory || algorithm->id == DIGEST_SHA2_256;
		}
		else
		{
			place->report->add(place->report, place->path,
							   "\"%s\" is one too many", item);
		}
	}
	enumerator->destroy(enumerator);
	if (!mandatory)
	{
		place->report->add(place->report, place->path,
						   "sha256 must be among them (RFC 9464)");
	}
}

const encdns_value_t encdns_value_text = { parse_text, clear_string };
const encdns_value_t encdns_value_choice = { parse_choice, clear_string };
const encdns_value_t encdns_value_bool = { parse_bool, clear_nothing };
const encdns_value_t encdns_value_port = { parse_port, clear_nothing };
const encdns_value_t encdns_value_priority = { parse_priority, clear_nothing };
const encdns_value_t encdns_value_private_type = {
	parse_private_type, clear_nothing
};
const encdns_value_t encdns_value_host = { parse_host, clear_string };
const encdns_value_t encdns_value_dohpath = { parse_dohpath, clear_string };
const encdns_value_t encdns_value_ca_file = { parse_ca_file, clear_string };
const encdns_value_t encdns_value_words = { parse_words, clear_strings };
const encdns_value_t encdns_value_domains = { parse_domains, clear_strings };
const encdns_value_t encdns_value_overridables = { parse_overridables, clear_strings };
const encdns_value_t encdns_value_alpn = { parse_alpn, clear_strings };
const encdns_value_t encdns_value_identities = { parse_identities, clear_identities };
const encdns_value_t encdns_value_pins = { parse_pins, clear_strings };
const encdns_value_t encdns_value_certificates = { parse_certificates, clear_strings };
const encdns_value_t encdns_value_anchors = { parse_anchors, clear_anchors };
const encdns_value_t encdns_value_addresses = { parse_addresses, clear_addresses };
const encdns_value_t encdns_value_algorithms = { parse_algorithms, clear_nothing };
