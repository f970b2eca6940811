/*
 * Names and sizes of the attributes: see attribute.h.
 */
#include "attribute.h"

static const struct {
	uint16_t type;
	const char *name;
	size_t address_length;
} attributes[] = {
	{WIRE_INTERNAL_IP4_DNS, "INTERNAL_IP4_DNS", 4},
	{WIRE_INTERNAL_IP6_DNS, "INTERNAL_IP6_DNS", 16},
	{WIRE_INTERNAL_DNS_DOMAIN, "INTERNAL_DNS_DOMAIN", 0},
	{WIRE_INTERNAL_DNSSEC_TA, "INTERNAL_DNSSEC_TA", 0},
	{WIRE_ENCDNS_IP4, "ENCDNS_IP4", 4},
	{WIRE_ENCDNS_IP6, "ENCDNS_IP6", 16},
	{WIRE_ENCDNS_DIGEST_INFO, "ENCDNS_DIGEST_INFO", 0},
};

const char *wire_attribute_name(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].type == type)
			return attributes[i].name;
	}
	return NULL;
}

size_t wire_address_length(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].type == type)
			return attributes[i].address_length;
	}
	return 0;
}
