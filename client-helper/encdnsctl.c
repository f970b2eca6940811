/*
 * encdnsctl: what encdnsd does, for people and scripts. Every verb has --json, unless it only acts
 * or speaks JSON anyway.
 */
#include <stdio.h>
#include <string.h>
#include "ctl.h"
#include "util.h"

struct verb {
	const char *name, *arguments, *help;
	ctl_verb_t run;
};

static const struct verb verbs[] = {
	{"status", "[CONNECTION] [--json]", "what is in force, and why", ctl_status},
	{"release", "CONNECTION", "let go of the domains of a connection that was lost", ctl_release},
	{"decode", "", "attributes in hex to JSON, line by line", ctl_decode},
	{"encode", "", "JSON to attributes in hex, line by line", ctl_encode},
};

static void print_help(FILE *file)
{
	fputs("encdnsctl VERB ...\n", file);
	for (size_t i = 0; i < ELEMENTS(verbs); i++)
		fprintf(file, "  %-8s %-22s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
	fputs("  help                            this text; --help too\n"
		  "  --version                       the version\n"
		  "\n"
		  "decode reads lines \"TYPE request|reply HEX\" (HEX: the attribute's value, may be empty)\n"
		  "and writes for each a JSON object, or {\"error\": \"...\"} for what the rules refuse:\n"
		  "  27 reply 000101100a140035646e732e636f72702e6578616d706c650001...\n"
		  "  {\"type\":27,\"priority\":1,\"addresses\":[\"10.20.0.53\"],\"adn\":\"dns.corp.example\",\n"
		  "   \"params\":{\"alpn\":[\"dot\"],\"port\":853,\"key65000\":\"0a0b\"}}\n"
		  "  {\"type\":29,\"algorithms\":[\"sha256\",5]} and, of a reply,\n"
		  "  {\"type\":29,\"adn\":\"\",\"algorithm\":\"sha256\",\"digest\":\"ab...\"}\n"
		  "  {\"type\":25,\"domain\":\"corp.example\"}\n"
		  "  {\"type\":26,\"key-tag\":12345,\"algorithm\":8,\"digest-type\":2,\"digest\":\"ab...\"}\n"
		  "  {\"type\":28,\"empty\":true}\n"
		  "encode reads such objects with a member \"message\", \"request\" or \"reply\", and writes HEX,\n"
		  "or \"error: ...\". A line that is refused ends neither, and is no negative answer.\n"
		  "\n"
		  "Exit status: 0 fine, 1 a negative answer (not connected, not in force), 2 misuse.\n",
		file);
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		print_help(stderr);
		return CTL_MISUSE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return CTL_FINE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("encdnsctl " PACKAGE_VERSION);
		return CTL_FINE;
	}
	for (size_t i = 0; i < ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "encdnsctl: there is no verb %s\n", argv[1]);
	print_help(stderr);
	return CTL_MISUSE;
}
