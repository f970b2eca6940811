/*
 * encdnsctl: what encdnsd does, for people and scripts. Every verb has --json, unless it only acts.
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
};

static void print_help(FILE *file)
{
	fputs("encdnsctl VERB ...\n", file);
	for (size_t i = 0; i < ELEMENTS(verbs); i++)
		fprintf(file, "  %-8s %-22s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
	fputs("  help                            this text; --help too\n"
		  "  --version                       the version\n"
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
