#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const struct {
	int family;
	size_t length;
	const char *name;
} families[] = {
	{AF_INET, 4, "IPv4"},
	{AF_INET6, 16, "IPv6"},
};

int address_from_bytes(const void *bytes, size_t length, struct address *ret)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].length != length)
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->family = families[i].family;
		memcpy(ret->bytes, bytes, length);
		return 0;
	}
	return -EINVAL;
}

int address_from_text(const char *text, struct address *ret)
{
	struct address address;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		memset(&address, 0, sizeof(address));
		address.family = families[i].family;
		if (inet_pton(address.family, text, address.bytes) == 1) {
			*ret = address;
			return 0;
		}
	}
	return -EINVAL;
}

size_t address_length(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

const char *address_to_text(const struct address *address, char text[ADDRESS_TEXT])
{
	if (!inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT))
		strcpy(text, "?");
	return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, address_length(a)) == 0;
}

const char *family_name(int family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}
