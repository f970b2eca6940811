#include "reply.h"

#include <stdlib.h>
#include <string.h>

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_from_text(text, &address), 0);
	return address;
}

void reply_virtual_ip(struct request *request, const char *address)
{
	request->virtual_ips = reallocarray(
		request->virtual_ips, request->n_virtual_ips + 1, sizeof(*request->virtual_ips));
	assert_non_null(request->virtual_ips);
	request->virtual_ips[request->n_virtual_ips++] = address_of(address);
}

void reply_selector(struct request *request, const char *first, const char *last)
{
	struct address a = address_of(first), b = address_of(last);

	request->selectors =
		reallocarray(request->selectors, request->n_selectors + 1, sizeof(*request->selectors));
	assert_non_null(request->selectors);
	assert_int_equal(range_make(&a, &b, &request->selectors[request->n_selectors++]), 0);
}

void reply_begin(struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->connection = strdup("corp");
	request->link = strdup("encdns0");
	request->ifindex = 7;
	request->gateway = strdup("gw.corp.example");
	reply_virtual_ip(request, "10.99.0.1");
	reply_selector(request, "10.20.0.0", "10.20.255.255");
}

void reply_full(struct request *request)
{
	request->n_selectors = 0;
	reply_selector(request, "0.0.0.0", "255.255.255.255");
}

void reply_add(struct request *request, uint16_t type, const void *value, size_t length)
{
	struct attribute *attribute;

	request->attributes =
		reallocarray(request->attributes, request->n_attributes + 1, sizeof(*request->attributes));
	assert_non_null(request->attributes);
	attribute = &request->attributes[request->n_attributes++];
	attribute->type = type;
	attribute->length = length;
	attribute->value = malloc(length ? length : 1);
	assert_non_null(attribute->value);
	memcpy(attribute->value, value, length);
}

void reply_encdns(struct request *request, uint16_t priority, const char *adn,
	const char *addresses, const char *params, size_t params_size)
{
	uint8_t value[1024] = {priority >> 8, priority & 0xff, 0, strlen(adn)};
	char copy[256], *word, *next;
	struct address address = {};
	size_t length = 4;

	strcpy(copy, addresses);
	for (word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
		address = address_of(word);
		memcpy(value + length, address.bytes, address_length(&address));
		length += address_length(&address);
		value[2]++;
	}
	memcpy(value + length, adn, strlen(adn));
	length += strlen(adn);
	memcpy(value + length, params, params_size - 1);
	length += params_size - 1;
	reply_add(request, address.family == AF_INET6 ? 28 : 27, value, length);
}

void reply_digest(
	struct request *request, const char *adn, uint16_t algorithm, uint8_t fill, size_t length)
{
	uint8_t value[512] = {1, strlen(adn)};
	size_t offset = 2 + strlen(adn);

	memcpy(value + 2, adn, strlen(adn));
	value[offset++] = algorithm >> 8;
	value[offset++] = algorithm & 0xff;
	memset(value + offset, fill, length);
	reply_add(request, 29, value, offset + length);
}

void reply_domain(struct request *request, const char *domain)
{
	reply_add(request, 25, domain, strlen(domain));
}

void reply_plain(struct request *request, const char *address)
{
	struct address plain = address_of(address);

	reply_add(request, plain.family == AF_INET6 ? 10 : 3, plain.bytes, address_length(&plain));
}
