/*
 * A connection as encdnsd sees it: its state, what the gateway sent and what of it was refused.
 */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "json_file.h"
#include "util.h"

static const char *advice_for(const char *state)
{
	static const struct {
		const char *state, *advice;
	} table[] = {
		{"blocked", "swanctl --initiate it again, or let its names go: encdnsctl release"},
		{"waiting", "see what is said of systemd-resolved above"},
		{"leaking", "see what is said of other links below"},
		{"failing", "see what is said of its resolvers below"},
		{"nothing", "see what the gateway hands out: encdnsctl check --gateway there"},
	};

	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (strcmp(table[i].state, state) == 0)
			return table[i].advice;
	return "wait a moment";
}

void check_state(struct check *check)
{
	const char *state = json_get_text(check->connection, "state");
	const char *reason = json_get_text(check->connection, "reason");

	if (json_get_flag(check->connection, "in-force"))
		check_fine(
			check, "its DNS is in force (%s tunnel)", json_get_text(check->connection, "mode"));
	else if (strcmp(state, "applying") == 0 || strcmp(state, "leaving") == 0)
		check_warn(check, advice_for(state), "it is on the way (%s)", state);
	else
		check_broken(
			check, advice_for(state), "%s: %s", state, reason ? reason : "without a reason");
}

void check_attributes(struct check *check)
{
	json_object *refused = json_get_array(check->connection, "refused");
	json_object *servers = json_get_array(check->connection, "servers");
	int64_t left_out = json_get_number(check->connection, "refused-left-out");
	size_t n = refused ? json_object_array_length(refused) : 0;

	/* What was blocked has nothing left of what its gateway sent. */
	if (strcmp(json_get_text(check->connection, "state"), "blocked") == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		json_object *refusal = json_object_array_get_idx(refused, i);

		check_warn(check, "correct it on the gateway, or accept it in swanctl.conf: encdns.conf(5)",
			"refused %s %s: %s", json_get_text(refusal, "attribute"),
			json_get_text(refusal, "value"), json_get_text(refusal, "why"));
	}
	if (left_out > 0)
		check_warn(check, "correct the gateway: no enterprise needs as many",
			"refused %" PRId64 " more that are not listed", left_out);
	if (!servers || json_object_array_length(servers) == 0)
		check_broken(check, "see what the gateway hands out: encdnsctl check --gateway there",
			"the gateway sent no resolver that can be used");
	else if (n == 0)
		check_fine(check, "all that the gateway sent was accepted");
}

void check_domains(struct check *check)
{
	json_object *domains = json_get_array(check->connection, "domains");
	size_t n = domains ? json_object_array_length(domains) : 0;

	if (strcmp(json_get_text(check->connection, "state"), "blocked") == 0)
		return;
	if (n == 0)
		check_broken(check,
			"name domains on the gateway, or see accept-domains and without-domains in "
			"encdns.conf(5)",
			"it has no domain, so no name goes to its resolvers");
	else
		check_fine(check, "%zu domain%s: %s%s", n, n == 1 ? "" : "s",
			json_object_get_string(json_object_array_get_idx(domains, 0)), n > 1 ? " ..." : "");
}
