/* A pin as people read and write it: "sha256:HEX". */
#pragma once

#include "wire/bounds.h"
#include "wire/digest.h"
#include "server.h"

#define PIN_TEXT (2 * DIGEST_LENGTH_MAX + 16)

const char *pin_to_text(const struct pin *pin, char text[static PIN_TEXT]);
