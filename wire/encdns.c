/*
 * ENCDNS_IP4 and ENCDNS_IP6: see encdns.h.
 */
#include "encdns.h"

#include "name.h"
#include "refuse.h"

#define NOT_ENCDNS "the attribute is neither ENCDNS_IP4 nor ENCDNS_IP6"

/* The parts in front of the SvcParams, not judged yet. */
struct parts {
	uint16_t priority;
	struct span addresses;
	struct span adn;
	struct span params;
};

static bool is_encdns(uint16_t type)
{
	return type == WIRE_ENCDNS_IP4 || type == WIRE_ENCDNS_IP6;
}

static int split(uint16_t type, struct span value, struct parts *ret, const char **ret_why)
{
	struct reader reader = {value};
	uint8_t n_addresses, adn_len;
	struct parts parts;

	if (!is_encdns(type))
		return refuse(ret_why, NOT_ENCDNS);
	if (reader_u16(&reader, &parts.priority) < 0 || reader_u8(&reader, &n_addresses) < 0 ||
		reader_u8(&reader, &adn_len) < 0)
		return refuse(ret_why, "the value is shorter than 4 octets");
	if (reader_span(&reader, n_addresses * wire_address_length(type), &parts.addresses) < 0)
		return refuse(ret_why, "the addresses are cut off");
	if (reader_span(&reader, adn_len, &parts.adn) < 0)
		return refuse(ret_why, "the ADN is cut off");
	parts.params = reader.left;
	*ret = parts;
	return 0;
}

int encdns_find_adn(uint16_t type, struct span value, struct span *ret_adn)
{
	struct parts parts;
	int r;

	r = split(type, value, &parts, NULL);
	if (r < 0)
		return r;
	r = name_check(parts.adn, NAME_HOST, NULL);
	if (r < 0)
		return r;
	*ret_adn = name_without_dot(parts.adn);
	return 0;
}

int encdns_decode(uint16_t type, enum wire_message message, struct span value, struct encdns *ret,
	const char **ret_why)
{
	struct svcparams params;
	struct parts parts;
	int r;

	if (message == WIRE_REQUEST && value.len == 0 && is_encdns(type)) {
		*ret = (struct encdns){.empty = true};
		return 0;
	}
	r = split(type, value, &parts, ret_why);
	if (r < 0)
		return r;
	if (parts.priority == 0)
		return refuse(ret_why, "the service priority is 0");
	if (message == WIRE_REPLY && parts.addresses.len == 0)
		return refuse(ret_why, "there is no address");
	if (message == WIRE_REPLY && parts.adn.len == 0)
		return refuse(ret_why, "there is no ADN");
	if (parts.adn.len > 0) {
		r = name_check(parts.adn, NAME_HOST, ret_why);
		if (r < 0)
			return r;
	}
	r = svcparams_decode(parts.params, &params, ret_why);
	if (r < 0)
		return r;
	*ret = (struct encdns){
		.priority = parts.priority,
		.addresses = parts.addresses,
		.adn = name_without_dot(parts.adn),
		.params = params,
	};
	return 0;
}

int encdns_encode(uint16_t type, enum wire_message message, const struct encdns *encdns,
	uint8_t *data, size_t size, size_t *ret_len, const char **ret_why)
{
	struct span adn = name_without_dot(encdns->adn);
	struct writer writer = writer_of(data, size);
	struct encdns check;
	size_t len;
	int r;

	if (!is_encdns(type))
		return refuse_to_send(ret_why, NOT_ENCDNS);
	if (!encdns->empty) {
		if (encdns->addresses.len % wire_address_length(type) != 0)
			return refuse_to_send(ret_why, "an address is cut off");
		writer_u16(&writer, encdns->priority);
		writer_length8(&writer, encdns->addresses.len / wire_address_length(type));
		writer_length8(&writer, adn.len);
		writer_span(&writer, encdns->addresses);
		writer_span(&writer, adn);
		if (writer.error == -EMSGSIZE)
			return refuse_to_send(ret_why, "there are too many addresses, or the ADN is too long");
		r = svcparams_encode(&encdns->params, &writer, ret_why);
		if (r < 0)
			return r;
	}
	r = writer_finish(&writer, &len);
	if (r < 0)
		return r;
	if (len > WIRE_VALUE_MAX)
		return refuse_to_send(ret_why, "the value is longer than 65535 octets");
	if (encdns_decode(type, message, span_of(data, len), &check, ret_why) < 0)
		return -EINVAL;
	*ret_len = len;
	return 0;
}
