/*
 * A fuzz target is one LLVMFuzzerTestOneInput(). configure --enable-fuzzing links it with
 * libFuzzer; otherwise driver.c replays the files given as arguments, which is what make check
 * does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                            \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
			abort();                                                                               \
		}                                                                                          \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
