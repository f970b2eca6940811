/* What decodes encodes to the same octets: there is one way to write SvcParams. */
#include "fuzz.h"

#include "wire/svcparams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[WIRE_VALUE_MAX];
	struct writer writer = writer_of(out, sizeof(out));
	struct svcparams params;

	if (size > WIRE_VALUE_MAX || svcparams_decode(span_of(data, size), &params, NULL) < 0)
		return 0;
	MUST(svcparams_encode(&params, &writer, NULL) == 0);
	MUST(span_equal(span_of(out, writer.len), span_of(data, size)));
	return 0;
}
