/* What decodes encodes, and that decodes and encodes to the same octets. */
#include "fuzz.h"

#include "wire/enc_dns.h"

static void round_trip(enum wire_message message, struct span value)
{
	static uint8_t first[WIRE_VALUE_MAX], second[WIRE_VALUE_MAX];
	struct enc_dns enc_dns, same;
	size_t len, again;

	if (enc_dns_decode(message, value, &enc_dns, NULL) < 0)
		return;
	MUST(enc_dns_encode(message, &enc_dns, first, sizeof(first), &len, NULL) == 0);
	MUST(enc_dns_decode(message, span_of(first, len), &same, NULL) == 0);
	MUST(same.outside == enc_dns.outside && same.kind == enc_dns.kind);
	MUST(span_equal(same.addresses, enc_dns.addresses) && span_equal(same.adn, enc_dns.adn));
	MUST(enc_dns_encode(message, &same, second, sizeof(second), &again, NULL) == 0);
	MUST(span_equal(span_of(first, len), span_of(second, again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > WIRE_VALUE_MAX)
		return 0;
	round_trip(WIRE_REQUEST, span_of(data, size));
	round_trip(WIRE_REPLY, span_of(data, size));
	return 0;
}
