/* What decodes, hex or raw, encodes to what decodes to the same anchor. */
#include "fuzz.h"

#include "wire/trust_anchor.h"

static void round_trip(enum wire_message message, struct span value)
{
	struct trust_anchor anchor, again;
	uint8_t out[TRUST_ANCHOR_VALUE_MAX];
	size_t len;

	if (trust_anchor_decode(message, value, &anchor, NULL) < 0)
		return;
	MUST(trust_anchor_encode(message, &anchor, out, sizeof(out), &len, NULL) == 0);
	MUST(trust_anchor_decode(message, span_of(out, len), &again, NULL) == 0);
	MUST(anchor.key_tag == again.key_tag && anchor.algorithm == again.algorithm);
	MUST(span_equal(
		span_of(anchor.digest, anchor.digest_length), span_of(again.digest, again.digest_length)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	round_trip(WIRE_REQUEST, span_of(data, size));
	round_trip(WIRE_REPLY, span_of(data, size));
	return 0;
}
