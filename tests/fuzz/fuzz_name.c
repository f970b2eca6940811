/* A name is equal to its normal form, which is its own, and at or below each of its ends. */
#include "fuzz.h"

#include "wire/name.h"

static void check(struct span name, enum name_kind kind)
{
	char normal[NAME_SIZE], again[NAME_SIZE];
	struct span end;

	if (name_normalise(name, kind, normal, NULL) < 0)
		return;
	MUST(name_equal(name, span_from_string(normal)));
	MUST(name_normalise(span_from_string(normal), kind, again, NULL) == 0);
	MUST(strcmp(normal, again) == 0);
	for (end = span_from_string(normal); end.len > 0; end = span_of(end.data + 1, end.len - 1))
		MUST(name_is_at_or_below(name, end) == (end.len == strlen(normal) || end.data[-1] == '.'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(span_of(data, size), NAME_HOST);
	check(span_of(data, size), NAME_DOMAIN);
	return 0;
}
