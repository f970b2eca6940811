#include "refusal.h"

#include <errno.h>
#include <string.h>
#include "bounds.h"
#include "util.h"

int refusals_add(struct refusals *refusals, uint16_t type, const char *value, const char *why)
{
	cleanup_free char *value_copy = strdup(value), *why_copy = strdup(why);
	struct refusal *grown;

	if (refusals->n == LIMIT_REFUSALS) {
		refusals->n_left_out++;
		return 0;
	}
	if (!value_copy || !why_copy)
		return -ENOMEM;
	grown = reallocarray(refusals->list, refusals->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[refusals->n] = (struct refusal){
		.type = type,
		.value = steal(value_copy),
		.why = steal(why_copy),
	};
	refusals->list = grown;
	refusals->n++;
	return 0;
}

int refusals_add_octets(
	struct refusals *refusals, uint16_t type, const void *data, size_t length, const char *why)
{
	cleanup_free char *value = readable(data, length);

	return value ? refusals_add(refusals, type, value, why) : -ENOMEM;
}

void refusals_clear(struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->n; i++) {
		free(refusals->list[i].value);
		free(refusals->list[i].why);
	}
	free(refusals->list);
	memset(refusals, 0, sizeof(*refusals));
}
