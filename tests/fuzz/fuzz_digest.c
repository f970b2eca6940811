/* A request encodes to what it was; a reply without fault to one that decodes to the same. */
#include "fuzz.h"

#include "wire/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[1024];
	struct digest_reply reply, again;
	struct digest_request request;
	size_t len;

	if (digest_request_decode(span_of(data, size), &request, NULL) == 0) {
		MUST(digest_request_encode(&request, out, sizeof(out), &len, NULL) == 0);
		MUST(span_equal(span_of(out, len), span_of(data, size)));
	}
	if (digest_reply_decode(span_of(data, size), &reply, NULL) == 0 &&
		!digest_reply_fault(&reply, NULL)) {
		MUST(digest_reply_encode(&reply, out, sizeof(out), &len, NULL) == 0);
		MUST(digest_reply_decode(span_of(out, len), &again, NULL) == 0);
		MUST(span_equal(reply.adn, again.adn) && reply.algorithm == again.algorithm);
		MUST(span_equal(reply.digest, again.digest));
	}
	return 0;
}
