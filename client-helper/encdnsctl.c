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
	{"status", "[CONNECTION]", "what is in force, and why", ctl_status},
	{"check", "[CONNECTION]", "what is wrong, and what to do", ctl_check},
	{"check", "--gateway [--file FILE]", "the same of what a gateway hands out", ctl_check},
	{"monitor", "[CONNECTION]", "what changes, and how much is asked", ctl_monitor},
	{"block", "[CONNECTION]", "lets its names fail until it is back or released", ctl_block},
	{"release", "CONNECTION", "lets go of the domains of one that was lost, or is blocked",
		ctl_release},
	{"flush", "", "forgets the answers that systemd-resolved has kept", ctl_flush},
	{"log-level", "[LEVEL]", "how much encdnsd writes into the journal", ctl_log_level},
	{"pin", "FILE|HOST[:PORT]", "digests of a certificate, for swanctl.conf", ctl_pin},
	{"export", "--format FORMAT [SECTION]", "what a gateway hands out, for other clients",
		ctl_export},
	{"decode", "", "attributes in hex to JSON, line by line", ctl_decode},
	{"encode", "", "JSON to attributes in hex, line by line", ctl_encode},
};

static const char examples[] =
	"\n"
	"--json prints JSON for programs instead. See encdnsctl(1) for all of it.\n"
	"\n"
	"  encdnsctl status                    is my VPN's DNS in force?\n"
	"  sudo encdnsctl check corp-vpn       why do names of this VPN not resolve?\n"
	"  sudo encdnsctl check --gateway      is what I am about to hand out right?\n"
	"  encdnsctl pin /etc/ssl/dns.pem      what to write behind pins =\n"
	"  encdnsctl status --json | jq -r '.connections[].servers[].adn'\n"
	"  echo '25 reply 636f7270' | encdnsctl decode\n"
	"\n"
	"Exit status: 0 fine, 1 a negative answer (not in force, something is broken), 2 misuse.\n";

static void print_help(FILE *file)
{
	fputs("encdnsctl VERB ...\n", file);
	for (size_t i = 0; i < ELEMENTS(verbs); i++)
		fprintf(file, "  %-9s %-26s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
	fputs("  help                                 this text; --help too\n"
		  "  --version                            the version\n",
		file);
	fputs(examples, file);
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
