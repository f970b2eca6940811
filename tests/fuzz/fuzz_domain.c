/* What decodes encodes to what decodes to the same name. */
#include "fuzz.h"

#include "wire/domain.h"

static void round_trip(enum wire_message message, struct span value)
{
	uint8_t out[NAME_LENGTH_MAX];
	struct span name, again;
	size_t len;

	if (domain_decode(message, value, &name, NULL) < 0)
		return;
	MUST(domain_encode(message, name, out, sizeof(out), &len, NULL) == 0);
	MUST(domain_decode(message, span_of(out, len), &again, NULL) == 0);
	MUST(span_equal(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	round_trip(WIRE_REQUEST, span_of(data, size));
	round_trip(WIRE_REPLY, span_of(data, size));
	return 0;
}
