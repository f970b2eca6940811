#include "pin_text.h"

#include <stdio.h>
#include "wire/hex.h"

const char *pin_to_text(const struct pin *pin, char text[static PIN_TEXT])
{
	const struct digest_algorithm *algorithm = digest_algorithm_by_id(pin->algorithm);
	char hex[2 * DIGEST_LENGTH_MAX + 1] = "";

	hex_encode(span_of(pin->digest, pin->length), hex);
	hex[2 * pin->length] = '\0';
	snprintf(text, PIN_TEXT, "%s:%s", algorithm ? algorithm->name : "?", hex);
	return text;
}
