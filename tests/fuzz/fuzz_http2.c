/* Whatever a DoH server sends, each query has at most one outcome, and none after
   it was forgotten. */
#include "fuzz.h"

#include <string.h>

#include "client-helper/http2.h"

static void on_answer(struct query *query, uint8_t *body, size_t length, void *userdata)
{
	MUST(query->tried++ == 0 && length <= LIMIT_MESSAGE);
	for (size_t i = 0; i < length; i++)
		body[i] ^= 1; /* all of it can be written to */
}

static void on_refused(struct query *query, bool again, void *userdata)
{
	MUST(query->tried++ == 0);
}

static void on_leaving(void *userdata)
{
	bool *left = userdata;

	MUST(!*left);
	*left = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http2_events events = {on_answer, on_refused, on_leaving};
	struct query queries[3] = {{.length = 128}, {.length = 256}, {.length = 128}};
	struct http2 *http2;
	bool left = false;
	uint8_t out[512];
	int result = 0;

	MUST(http2_new("dns.example", 443, "/dns-query", &events, &left, &http2) == 0);
	for (int i = 0; i < 3; i++)
		MUST(http2_submit(http2, &queries[i]) == 0);
	while (http2_output(http2, out, sizeof(out)) > 0)
		;
	for (size_t i = 0, n; i < size && result == 0; i += n) {
		n = size - i < 64 ? size - i : 64;
		result = http2_receive(http2, data + i, n);
		while (http2_output(http2, out, sizeof(out)) > 0)
			;
		http2_recycle(http2);
		if (i == 128 && queries[2].tried++ == 0)
			http2_forget(http2, &queries[2]);
	}
	http2_free(http2);
	return 0;
}
