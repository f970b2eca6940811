/*
 * Browsers with a DNS of their own. A policy that turns it off, or leaves it to the system, is
 * fine; one that turns it on takes the internal names elsewhere.
 */
#include "check.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include "json_file.h"
#include "util.h"

static bool is_installed(const char *const paths[])
{
	for (size_t i = 0; paths[i]; i++)
		if (access(paths[i], X_OK) == 0)
			return true;
	return false;
}

void check_firefox(struct check *check)
{
	static const char *const programs[] = {
		"/usr/bin/firefox", "/usr/bin/firefox-esr", "/snap/bin/firefox", NULL};
	static const char *const files[] = {"/etc/firefox/policies/policies.json",
		"/etc/firefox-esr/policies/policies.json", "/usr/lib/firefox/distribution/policies.json",
		"/usr/lib/firefox-esr/distribution/policies.json"};
	bool off = false, on = false;

	for (size_t i = 0; i < ELEMENTS(files); i++) {
		cleanup_json json_object *json = NULL;
		json_object *policies = NULL, *doh = NULL, *enabled = NULL;

		if (json_file_read(files[i], &json) < 0)
			continue;
		json_object_object_get_ex(json, "policies", &policies);
		json_object_object_get_ex(policies, "DNSOverHTTPS", &doh);
		if (!json_object_object_get_ex(doh, "Enabled", &enabled))
			continue;
		if (json_object_get_boolean(enabled)) {
			on = true;
			check_broken(check, "set \"Enabled\" of \"DNSOverHTTPS\" to false there",
				"Firefox has a DNS of its own, by %s: internal names go there", files[i]);
		} else {
			off = true;
		}
	}
	if (off && !on)
		check_fine(check, "Firefox leaves DNS to the system, by policy");
	else if (!on && is_installed(programs))
		check_warn(check,
			"set \"Enabled\" of the policy \"DNSOverHTTPS\" to false; or about:preferences, DNS "
			"over HTTPS, off",
			"Firefox may use a DNS of its own: no policy forbids it");
}

/* "off", "automatic", "secure"; NULL: no policy. The last file counts. */
static const char *chromium_mode(const char *pattern, char ret[static 16])
{
	const char *found = NULL;
	glob_t files = {};

	if (glob(pattern, 0, NULL, &files) != 0)
		return NULL;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		cleanup_json json_object *json = NULL;
		const char *mode;

		if (json_file_read(files.gl_pathv[i], &json) < 0)
			continue;
		mode = json_get_text(json, "DnsOverHttpsMode");
		if (mode) {
			snprintf(ret, 16, "%s", mode);
			found = ret;
		}
	}
	globfree(&files);
	return found;
}

void check_chromium(struct check *check)
{
	static const struct {
		const char *name, *policies, *programs[3];
	} browsers[] = {
		{"Chromium", "/etc/chromium/policies/managed/*.json",
			{"/usr/bin/chromium", "/snap/bin/chromium", NULL}},
		{"Google Chrome", "/etc/opt/chrome/policies/managed/*.json",
			{"/usr/bin/google-chrome", "/usr/bin/google-chrome-stable", NULL}},
	};
	char buffer[16];

	for (size_t i = 0; i < ELEMENTS(browsers); i++) {
		const char *mode = chromium_mode(browsers[i].policies, buffer);

		if (mode && strcmp(mode, "secure") == 0)
			check_broken(check, "set \"DnsOverHttpsMode\" to \"off\" in its policy",
				"%s has a DNS of its own, by policy: internal names go there", browsers[i].name);
		else if (mode && strcmp(mode, "off") == 0)
			check_fine(check, "%s leaves DNS to the system, by policy", browsers[i].name);
		else if (is_installed(browsers[i].programs))
			check_warn(check, "set the policy \"DnsOverHttpsMode\" to \"off\"",
				"%s may use a DNS of its own: no policy forbids it", browsers[i].name);
	}
}
