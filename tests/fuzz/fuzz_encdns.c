/* What decodes encodes, and that decodes and encodes to the same octets. */
#include "fuzz.h"

#include "wire/encdns.h"

static void round_trip(uint16_t type, enum wire_message message, struct span value)
{
	static uint8_t first[WIRE_VALUE_MAX], second[WIRE_VALUE_MAX];
	struct encdns encdns;
	size_t len, again;

	if (encdns_decode(type, message, value, &encdns, NULL) < 0)
		return;
	MUST(encdns_encode(type, message, &encdns, first, sizeof(first), &len, NULL) == 0);
	MUST(encdns_decode(type, message, span_of(first, len), &encdns, NULL) == 0);
	MUST(encdns_encode(type, message, &encdns, second, sizeof(second), &again, NULL) == 0);
	MUST(span_equal(span_of(first, len), span_of(second, again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > WIRE_VALUE_MAX)
		return 0;
	round_trip(WIRE_ENCDNS_IP4, WIRE_REQUEST, span_of(data, size));
	round_trip(WIRE_ENCDNS_IP4, WIRE_REPLY, span_of(data, size));
	round_trip(WIRE_ENCDNS_IP6, WIRE_REQUEST, span_of(data, size));
	round_trip(WIRE_ENCDNS_IP6, WIRE_REPLY, span_of(data, size));
	return 0;
}
