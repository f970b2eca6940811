/*
 * What encdnsctl check is made of: many small checks, each of one link of the chain from charon to
 * an answer. A check says what it found: fine, a warning, or broken, and then what to do.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

enum verdict {
	VERDICT_FINE,
	VERDICT_WARNING,
	VERDICT_BROKEN,
};

const char *verdict_name(enum verdict verdict); /* "fine", "warning", "broken" */

/* What checks look at; all of it stays the caller's. */
struct check {
	const char *file;          /* the swanctl.conf */
	json_object *file_content; /* what encdns-config says of it; NULL: it says nothing */
	sd_bus *bus;               /* NULL: none */
	json_object *status;       /* of encdnsd; NULL: it does not answer */
	const char *status_error;  /* why not */
	json_object *connection;   /* of the status; NULL where the check is of the whole system */

	const char *name; /* of the check that runs, "plugin" */
	void (*found)(struct check *check, enum verdict verdict, const char *advice, const char *what);
	void *userdata;
};

/* What a check found, a sentence without a full stop; advice: what to do, a command mostly. */
void check_fine(struct check *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_warn(struct check *check, const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void check_broken(struct check *check, const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

typedef void (*check_run_t)(struct check *check);

/* check_charon.c */
void check_charon(struct check *check);
void check_plugin(struct check *check);
void check_resolve_plugin(struct check *check);
/* check_configuration.c */
void check_configuration(struct check *check);
void check_loaded(struct check *check);
/* check_resolved.c */
void check_helper(struct check *check);
void check_resolved(struct check *check);
void check_system_resolver(struct check *check);
void check_link(struct check *check);
void check_other_links(struct check *check);
/* check_connection.c */
void check_state(struct check *check);
void check_attributes(struct check *check);
void check_domains(struct check *check);
/* check_servers.c */
void check_servers(struct check *check);
void check_answers(struct check *check);
/* check_browsers.c */
void check_firefox(struct check *check);
void check_chromium(struct check *check);
/* check_gateway.c */
void check_gateway(struct check *check);

/* What encdns-config says of a swanctl.conf. 0, -ENOENT where there is none, or -errno. */
int configuration_read(const char *file, json_object **ret);
