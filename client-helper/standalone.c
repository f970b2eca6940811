#include "standalone.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "forwarder.h"
#include "bounds.h"
#include "wire/digest.h"
#include "wire/dohpath.h"
#include "wire/name.h"

static const char usage[] =
	"encdnsd --standalone --listen ADDRESS:PORT --resolver 'KEY=VALUE ...' [--resolver ...]\n"
	"\n"
	"Forwards DNS queries that reach ADDRESS:PORT (UDP and TCP) to the resolvers. The keys:\n"
	"  addresses=ADDRESS[,ADDRESS ...]  of the resolver\n"
	"  alpn=dot|h2|plain                DoT (the default), DoH, or unencrypted\n"
	"  adn=NAME                         that its certificate must carry\n"
	"  port=N                           default: 853, 443, 53\n"
	"  dohpath=TEMPLATE                 for DoH, default /dns-query{?dns}\n"
	"  pin=sha256:HEX                   SPKI digest instead of the name; may be repeated\n"
	"  priority=N                       smallest first, default 1\n"
	"  ca=FILE                          PEM, for all resolvers; default: the system's trust store\n"
	"  bind=ADDRESS                     source address, for all resolvers\n";

struct options {
	bool has_listen;
	struct address listen;
	uint16_t port;
	struct server servers[LIMIT_SERVERS];
	size_t n_servers;
	struct address sources[2];
	size_t n_sources;
	char *ca;
};

static void options_clear(struct options *options)
{
	for (size_t i = 0; i < options->n_servers; i++)
		server_clear(&options->servers[i]);
	free(options->ca);
}

static int parse_number(const char *text, unsigned long max, uint16_t *ret)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* ADDRESS:PORT, an IPv6 address may stand in brackets. */
static int parse_listen(const char *text, struct options *options)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + 2] = "";
	size_t length = colon ? (size_t)(colon - text) : 0;
	bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (length == 0 || length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text + brackets, length - 2 * brackets);
	options->has_listen = true;
	if (address_from_text(address, &options->listen) < 0)
		return -EINVAL;
	return parse_number(colon + 1, UINT16_MAX, &options->port);
}

static int grow(void *array, size_t n, size_t size)
{
	void **pointer = array, *grown = realloc(*pointer, (n + 1) * size);

	if (!grown)
		return -ENOMEM;
	*pointer = grown;
	return 0;
}

static int set_addresses(struct options *options, struct server *server, char *value)
{
	char *next;

	for (char *text = strtok_r(value, ",", &next); text; text = strtok_r(NULL, ",", &next)) {
		if (grow(&server->addresses, server->n_addresses, sizeof(*server->addresses)) < 0)
			return -ENOMEM;
		if (address_from_text(text, &server->addresses[server->n_addresses]) < 0)
			return -EINVAL;
		server->n_addresses++;
	}
	return 0;
}

static int set_alpn(struct options *options, struct server *server, char *value)
{
	static const struct {
		const char *name;
		enum transport transport;
	} table[] = {{"dot", TRANSPORT_DOT}, {"h2", TRANSPORT_DOH}, {"plain", TRANSPORT_PLAIN}};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].name, value) == 0) {
			server->transport = table[i].transport;
			return 0;
		}
	return -EINVAL;
}

static int set_string(char **target, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*target);
	*target = copy;
	return 0;
}

static int set_adn(struct options *options, struct server *server, char *value)
{
	char name[NAME_SIZE];

	if (name_normalise(span_from_string(value), NAME_HOST, name, NULL) < 0)
		return -EINVAL;
	return set_string(&server->adn, name);
}

static int set_port(struct options *options, struct server *server, char *value)
{
	return parse_number(value, UINT16_MAX, &server->port);
}

static int set_priority(struct options *options, struct server *server, char *value)
{
	return parse_number(value, UINT16_MAX, &server->priority);
}

static int set_dohpath(struct options *options, struct server *server, char *value)
{
	if (dohpath_check(span_from_string(value), NULL) < 0)
		return -EINVAL;
	return set_string(&server->dohpath, value);
}

static int set_pin(struct options *options, struct server *server, char *value)
{
	const struct digest_algorithm *algorithm;
	struct pin pin = {0};

	if (digest_parse(span_from_string(value), &algorithm, pin.digest, NULL) < 0)
		return -EINVAL;
	if (grow(&server->pins, server->n_pins, sizeof(pin)) < 0)
		return -ENOMEM;
	pin.algorithm = algorithm->id;
	pin.length = algorithm->length;
	server->pins[server->n_pins++] = pin;
	return 0;
}

static int set_ca(struct options *options, struct server *server, char *value)
{
	return set_string(&options->ca, value);
}

static int set_bind(struct options *options, struct server *server, char *value)
{
	if (options->n_sources == 2)
		return -EINVAL;
	return address_from_text(value, &options->sources[options->n_sources++]);
}

/* Changes text. */
static int parse_resolver(char *text, struct options *options)
{
	static const struct {
		const char *key;
		int (*set)(struct options *options, struct server *server, char *value);
	} keys[] = {
		{"addresses", set_addresses},
		{"alpn", set_alpn},
		{"adn", set_adn},
		{"port", set_port},
		{"priority", set_priority},
		{"dohpath", set_dohpath},
		{"pin", set_pin},
		{"ca", set_ca},
		{"bind", set_bind},
	};
	static const uint16_t ports[] = {
		[TRANSPORT_PLAIN] = 53,
		[TRANSPORT_DOT] = 853,
		[TRANSPORT_DOH] = 443,
	};
	struct server *server = &options->servers[options->n_servers];
	char *next;

	if (options->n_servers == LIMIT_SERVERS) {
		fprintf(stderr, "encdnsd: more than %d resolvers\n", LIMIT_SERVERS);
		return -EINVAL;
	}
	options->n_servers++;
	*server = (struct server){.priority = 1, .transport = TRANSPORT_DOT};
	for (char *word = strtok_r(text, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
		char *value = strchr(word, '=');
		int result = -ENOENT;

		if (value)
			*value++ = '\0';
		for (size_t i = 0; value && i < sizeof(keys) / sizeof(*keys); i++)
			if (strcmp(keys[i].key, word) == 0)
				result = keys[i].set(options, server, value);
		if (result == -ENOENT)
			fprintf(stderr, "encdnsd: \"%s\" is no key of a resolver with a value\n", word);
		else if (result < 0)
			fprintf(stderr, "encdnsd: the resolver's %s: not valid\n", word);
		if (result < 0)
			return result;
	}
	if (server->n_addresses == 0 || (server->transport != TRANSPORT_PLAIN && !server->adn)) {
		fprintf(stderr, "encdnsd: a resolver needs %s\n",
			server->n_addresses == 0 ? "addresses" : "adn");
		return -EINVAL;
	}
	if (server->port == 0)
		server->port = ports[server->transport];
	if (server->transport == TRANSPORT_DOH && !server->dohpath)
		return set_string(&server->dohpath, "/dns-query{?dns}");
	return 0;
}

static int parse_options(int argc, char *argv[], struct options *options)
{
	static const struct option table[] = {
		{"listen", required_argument, NULL, 'l'},
		{"resolver", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, result;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'l':
			result = parse_listen(optarg, options);
			if (result < 0)
				fprintf(stderr, "encdnsd: \"%s\" is not ADDRESS:PORT\n", optarg);
			break;
		case 'r':
			result = parse_resolver(optarg, options);
			break;
		default:
			result = -EINVAL;
			fputs(usage, stderr);
		}
		if (result < 0)
			return result;
	}
	if (optind < argc || !options->has_listen || options->n_servers == 0) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	return 0;
}

static void print_state(struct forwarder *forwarder, void *userdata)
{
	static const char *const names[] = {
		[SERVER_IDLE] = "idle",
		[SERVER_CONNECTING] = "connecting",
		[SERVER_CONNECTED] = "connected",
		[SERVER_FAILED] = "failed",
		[SERVER_REFUSED] = "refused",
	};

	for (size_t i = 0; i < forwarder_n_servers(forwarder); i++) {
		struct server_status status = forwarder_server_status(forwarder, i);

		fprintf(stderr, "encdnsd: resolver %zu (%s, %s): %s", i + 1,
			status.server->adn ? status.server->adn : "no name",
			transport_to_string(status.server->transport), names[status.state]);
		if (status.tls_version)
			fprintf(stderr, ", %s", status.tls_version);
		if (status.last_error)
			fprintf(stderr, ": %s", status.last_error);
		fputc('\n', stderr);
	}
}

static void print_summary(struct forwarder *forwarder)
{
	struct forwarder_counters counters = forwarder_counters(forwarder);

	fprintf(stderr,
		"encdnsd: %llu queries, %llu answers, %llu SERVFAIL, %llu dropped, %u in flight\n",
		(unsigned long long)counters.queries, (unsigned long long)counters.answers,
		(unsigned long long)counters.servfails, (unsigned long long)counters.dropped,
		counters.in_flight);
	for (size_t i = 0; i < forwarder_n_servers(forwarder); i++) {
		struct server_status status = forwarder_server_status(forwarder, i);

		fprintf(stderr,
			"encdnsd: resolver %zu: %llu queries, %llu answers, %llu failures, handshake %llu us, "
			"round trip %llu us (99th percentile %llu us)\n",
			i + 1, (unsigned long long)status.queries, (unsigned long long)status.answers,
			(unsigned long long)status.failures, (unsigned long long)status.handshake_usec,
			(unsigned long long)status.rtt_median_usec, (unsigned long long)status.rtt_p99_usec);
	}
}

static int on_summary(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	print_state(userdata, NULL);
	print_summary(userdata);
	return 0;
}

/* SIGTERM and SIGINT end the loop: sd-event's default for a signal without a callback. */
static int watch_signals(sd_event *event, struct forwarder *forwarder)
{
	int result = sd_event_add_signal(event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);

	if (result >= 0)
		result = sd_event_add_signal(event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);
	if (result >= 0)
		result = sd_event_add_signal(
			event, NULL, SIGUSR1 | SD_EVENT_SIGNAL_PROCMASK, on_summary, forwarder);
	return result;
}

static int run(const struct options *options)
{
	struct upstream upstream = {
		.servers = options->servers,
		.n_servers = options->n_servers,
		.virtual_ips = options->sources,
		.n_virtual_ips = options->n_sources,
		.ca_certificates = options->ca,
	};
	struct forwarder *forwarder = NULL;
	sd_event *event = NULL;
	const char *doing = "start";
	int result = sd_event_new(&event);

	if (result >= 0) {
		doing = "listen";
		result = forwarder_new(
			event, &options->listen, options->port, NULL, print_state, NULL, &forwarder);
	}
	if (result >= 0) {
		doing = options->ca ? "use the CA certificates" : "use the resolvers";
		result = forwarder_set_upstream(forwarder, &upstream);
	}
	if (result >= 0) {
		doing = "run";
		result = watch_signals(event, forwarder);
	}
	if (result >= 0)
		result = sd_event_loop(event);
	if (result < 0)
		fprintf(stderr, "encdnsd: cannot %s: %s\n", doing, strerror(-result));
	else
		print_summary(forwarder);
	forwarder_free(forwarder);
	sd_event_unref(event);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int standalone_main(int argc, char *argv[])
{
	struct options __attribute__((cleanup(options_clear))) options = {0};

	if (parse_options(argc, argv, &options) < 0)
		return 2;
	return run(&options);
}
