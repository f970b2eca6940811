/*
 * What runs of strongSwan: a charon of whatever make, and which of the plugins that matter it has
 * loaded, as the kernel sees it. That needs no cooperation of the daemon, and shows a plugin whose
 * file was replaced under it.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "json_file.h"
#include "util.h"

#define RESTART "systemctl restart strongswan.service (it ends the connections that are up)"

struct charon {
	char name[16];
	bool visible; /* what it has mapped can be read */
	bool encdns, encdns_old, resolve;
};

static bool is_charon(const char *name)
{
	return strcmp(name, "charon") == 0 || strcmp(name, "charon-systemd") == 0 ||
		   strcmp(name, "charon-nm") == 0;
}

static bool read_name(const char *pid, char ret[static 16])
{
	cleanup_fclose FILE *file = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(ret, 16, file))
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static void read_maps(const char *pid, struct charon *charon)
{
	cleanup_fclose FILE *file = NULL;
	cleanup_free char *line = NULL;
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) > 0) {
		charon->visible = true;
		if (strstr(line, "/libstrongswan-encdns.so")) {
			charon->encdns = true;
			charon->encdns_old = charon->encdns_old || strstr(line, "(deleted)");
		}
		if (strstr(line, "/libstrongswan-resolve.so"))
			charon->resolve = true;
	}
}

/* Calls each for every charon. Returns their number. */
static int for_each_charon(
	struct check *check, void (*each)(struct check *check, const struct charon *charon))
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (proc && (entry = readdir(proc))) {
		struct charon charon = {};

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
			!read_name(entry->d_name, charon.name) || !is_charon(charon.name))
			continue;
		read_maps(entry->d_name, &charon);
		each(check, &charon);
		n++;
	}
	if (proc)
		closedir(proc);
	return n;
}

static void tell_running(struct check *check, const struct charon *charon)
{
	check_fine(check, "%s runs", charon->name);
}

void check_charon(struct check *check)
{
	if (for_each_charon(check, tell_running) == 0)
		check_broken(
			check, "systemctl start strongswan.service", "strongSwan's daemon does not run");
}

static void tell_plugin(struct check *check, const struct charon *charon)
{
	json_object *plugin = NULL;
	const char *version;

	json_object_object_get_ex(check->status, "plugin", &plugin);
	version = json_get_text(plugin, "version");
	if (!charon->visible)
		check_warn(
			check, "sudo encdnsctl check", "only root can see what %s has loaded", charon->name);
	else if (!charon->encdns)
		check_broken(check,
			"install strongswan-plugin-encdns, see that strongswan.d/charon/encdns.conf says load "
			"= yes, "
			"and then: " RESTART,
			"%s has not loaded the plugin encdns", charon->name);
	else if (charon->encdns_old)
		check_broken(check, RESTART, "%s still runs the plugin of an older package", charon->name);
	else if (check->status && !version)
		check_broken(check, RESTART,
			"%s has loaded the plugin encdns, which does not speak to encdnsd over D-Bus",
			charon->name);
	else
		check_fine(check, "%s has loaded the plugin encdns%s%s", charon->name, version ? " " : "",
			version ? version : "");
}

void check_plugin(struct check *check)
{
	for_each_charon(check, tell_plugin);
}

static void tell_resolve(struct check *check, const struct charon *charon)
{
	if (charon->resolve)
		check_broken(check,
			"keep strongswan.d/encdns-no-resolve.conf as it is installed, and then: " RESTART,
			"%s has loaded the plugin resolve, which takes the gateway's DNS servers past encdnsd",
			charon->name);
	else if (charon->visible)
		check_fine(check, "%s has not loaded the plugin resolve", charon->name);
}

void check_resolve_plugin(struct check *check)
{
	for_each_charon(check, tell_resolve);
}
