#include "encdns_name.h"

#include <idn2.h>

/**
 * Does a text hold anything but ASCII?
 */
static bool has_u_labels(const char *text)
{
	for (; *text; text++)
	{
		if (*text & 0x80)
		{
			return TRUE;
		}
	}
	return FALSE;
}

/*
 * Described in header
 */
bool encdns_name_normalise(const char *text, enum name_kind kind,
						   char name[NAME_SIZE], const char **why)
{
	char *converted = NULL;
	bool done;
	int ret;

	/* what is ASCII goes by the rules for names alone: underscores, for one */
	if (!has_u_labels(text))
	{
		return !name_normalise(span_from_string(text), kind, name, why);
	}
	ret = idn2_to_ascii_8z(text, &converted, IDN2_NONTRANSITIONAL);
	if (ret != IDN2_OK)
	{
		*why = idn2_strerror(ret);
		return FALSE;
	}
	done = !name_normalise(span_from_string(converted), kind, name, why);
	idn2_free(converted);
	return done;
}
