/* What is accepted expands to a ":path" in printable ASCII. */
#include "fuzz.h"

#include "wire/dohpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[DOHPATH_SIZE], *c;

	if (dohpath_check(span_of(data, size), NULL) < 0) {
		MUST(dohpath_expand_for_post(span_of(data, size), path) < 0);
		return 0;
	}
	MUST(dohpath_expand_for_post(span_of(data, size), path) == 0);
	MUST(path[0] == '/');
	for (c = path; *c; c++)
		MUST(*c > 0x20 && *c < 0x7f && *c != '{' && *c != '}' && *c != '#');
	return 0;
}
