/*
 * INTERNAL_DNS_DOMAIN: see domain.h.
 */
#include "domain.h"

#include "refuse.h"

int domain_decode(
	enum wire_message message, struct span value, struct span *ret_name, const char **ret_why)
{
	int r;

	if (message == WIRE_REPLY || value.len > 0) {
		r = name_check(value, NAME_DOMAIN, ret_why);
		if (r < 0)
			return r;
	}
	*ret_name = name_without_dot(value);
	return 0;
}

int domain_encode(enum wire_message message, struct span name, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why)
{
	struct writer writer = writer_of(data, size);
	struct span checked;

	if (domain_decode(message, name, &checked, ret_why) < 0)
		return -EINVAL;
	writer_span(&writer, checked);
	return writer_finish(&writer, ret_len);
}
