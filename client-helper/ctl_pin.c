/*
 * encdnsctl pin: the digests of a certificate's key, ready for swanctl.conf.
 */
#include "ctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "certificate.h"
#include "json_file.h"
#include "pin_text.h"
#include "util.h"

#define DEFAULT_PORT 853

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT", or an address. Changes text. 0 or -EINVAL. */
static int split(char *text, const char **ret_host, uint16_t *ret_port)
{
	char *colon = strrchr(text, ':'), *end;
	unsigned long port;

	*ret_port = DEFAULT_PORT;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		*end = '\0';
		*ret_host = text + 1;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		*ret_host = text;
		/* More than one colon: an IPv6 address, which has no port without brackets. */
		if (colon && strchr(text, ':') != colon)
			colon = NULL;
	}
	if (!colon)
		return **ret_host ? 0 : -EINVAL;
	*colon = '\0';
	errno = 0;
	port = strtoul(colon + 1, &end, 10);
	if (errno || end == colon + 1 || *end || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return **ret_host ? 0 : -EINVAL;
}

static void print_text(const struct certificate *certificate, const char *distrust, bool fetched)
{
	char text[PIN_TEXT], date[64];
	struct tm tm;

	if (gmtime_r(&certificate->not_after, &tm) && strftime(date, sizeof(date), "%Y-%m-%d", &tm) > 0)
		printf(
			"# %s, until %s\n", *certificate->names ? certificate->names : "names no host", date);
	printf("pins = %s\n", pin_to_text(&certificate->pins[0], text));
	for (size_t i = 1; i < CERTIFICATE_PINS; i++)
		printf("# pins = %s\n", pin_to_text(&certificate->pins[i], text));
	if (fetched && distrust)
		fprintf(stderr,
			"encdnsctl: taken from the network as it came (%s): compare it with the server's own "
			"file\n",
			distrust);
}

static void print_json(const struct certificate *certificate, const char *distrust, bool fetched)
{
	cleanup_json json_object *json = json_object_new_object();
	json_object *pins = json_object_new_array();
	char text[PIN_TEXT];

	for (size_t i = 0; i < CERTIFICATE_PINS; i++)
		json_object_array_add(
			pins, json_object_new_string(pin_to_text(&certificate->pins[i], text)));
	json_add(json, "pins", pins);
	json_add_text(json, "names", certificate->names);
	json_add_number(json, "not-before", certificate->not_before);
	json_add_number(json, "not-after", certificate->not_after);
	json_add_flag(json, "fetched", fetched);
	json_add_text(json, "distrust", distrust);
	ctl_print_json(json);
}

int ctl_pin(int argc, char *argv[])
{
	struct ctl_options options = {.max_names = 1};
	struct certificate certificate = {};
	char reason[LIMIT_ERROR_TEXT];
	const char *host, *distrust = NULL;
	bool fetched;
	uint16_t port;
	int r;

	if (ctl_parse("pin", argc, argv, &options) < 0)
		return CTL_MISUSE;
	if (options.n_names == 0) {
		fputs("encdnsctl: pin wants a certificate's file, or HOST[:PORT]\n", stderr);
		return CTL_MISUSE;
	}
	/* What is a file is one; a name with a slash can be nothing else. */
	fetched = access(options.names[0], F_OK) < 0 && !strchr(options.names[0], '/');
	if (!fetched) {
		r = certificate_read(options.names[0], &certificate, reason);
	} else {
		cleanup_free char *text = strdup(options.names[0]);

		if (!text || split(text, &host, &port) < 0) {
			fprintf(stderr, "encdnsctl: %s is neither a file nor HOST[:PORT]\n", options.names[0]);
			return CTL_MISUSE;
		}
		r = certificate_fetch(host, port, &certificate, &distrust, reason);
	}
	if (r < 0) {
		fprintf(stderr, "encdnsctl: %s\n", reason);
		return CTL_NEGATIVE;
	}
	if (options.json)
		print_json(&certificate, distrust, fetched);
	else
		print_text(&certificate, distrust, fetched);
	certificate_clear(&certificate);
	return CTL_FINE;
}
