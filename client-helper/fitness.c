#include "fitness.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include "util.h"

#define BLANKS " \t\r\n"

static bool is_stub(const char *address)
{
	return strcmp(address, "127.0.0.53") == 0 || strcmp(address, "127.0.0.54") == 0;
}

/* *ret_other: the first nameserver that is not the stub. */
static int read_nameservers(const char *path, bool *ret_stub, char **ret_other)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;
	bool stub = false;
	char *word, *next;

	while (file && getline(&line, &size, file) >= 0) {
		word = strtok_r(line, BLANKS, &next);
		if (!word || strcmp(word, "nameserver") != 0)
			continue;
		word = strtok_r(NULL, BLANKS, &next);
		if (!word)
			continue;
		if (is_stub(word)) {
			stub = true;
		} else if (!*ret_other) {
			*ret_other = readable(word, strlen(word));
			if (!*ret_other)
				return -ENOMEM;
		}
	}
	*ret_stub = stub && !*ret_other;
	return 0;
}

static bool read_nss(const char *path)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;
	char *word, *next;

	while (file && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, BLANKS, &next);
		if (!word || strcmp(word, "hosts:") != 0)
			continue;
		while ((word = strtok_r(NULL, BLANKS, &next))) {
			if (strcmp(word, "resolve") == 0)
				return true;
			if (strcmp(word, "dns") == 0)
				return false;
		}
	}
	return false;
}

bool fitness_nss_module(void)
{
	void *module = dlopen("libnss_resolve.so.2", RTLD_LAZY | RTLD_LOCAL);

	if (module)
		dlclose(module);
	return module != NULL;
}

int fitness_read(
	const char *resolv_conf, const char *nsswitch, bool nss_module, struct fitness *ret)
{
	struct fitness fitness = {};
	cleanup_free char *other = NULL;
	int r;

	r = read_nameservers(resolv_conf, &fitness.stub, &other);
	if (r < 0)
		return r;
	fitness.nss = nss_module && read_nss(nsswitch);
	if (!fitness.stub && !fitness.nss)
		r = format(&fitness.problem, "%s names %s instead of systemd-resolved (127.0.0.53)",
			resolv_conf, other ? other : "nobody");
	else if (!fitness.stub)
		r = format(&fitness.warning,
			"%s names %s: programs that read it themselves bypass systemd-resolved", resolv_conf,
			other ? other : "nobody");
	if (r < 0)
		return r;
	*ret = fitness;
	return 0;
}

void fitness_clear(struct fitness *fitness)
{
	free(fitness->problem);
	free(fitness->warning);
	memset(fitness, 0, sizeof(*fitness));
}
