/*
 * The section encrypted-dns: as it is in the file, read by the plugin's own reader, and as charon
 * has loaded it.
 */
#include "check.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "json_file.h"
#include "util.h"

#define OUTPUT_MAX (1024 * 1024)

extern char **environ;

/* Runs the reader; *ret_pid is to be waited for. Returns the descriptor of its output, or -errno.
 */
static int start_reader(const char *file, pid_t *ret_pid)
{
	char *const argv[] = {(char *)CONFIG_READER, (char *)file, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (access(CONFIG_READER, X_OK) < 0)
		return -ENOENT;
	if (pipe(fds) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	r = posix_spawn(ret_pid, CONFIG_READER, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (r != 0) {
		close(fds[0]);
		return -r;
	}
	return fds[0];
}

int configuration_read(const char *file, json_object **ret)
{
	cleanup_free char *text = malloc(OUTPUT_MAX);
	cleanup_close int fd = -1;
	size_t length = 0;
	ssize_t n = 0;
	int status;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	fd = start_reader(file, &pid);
	if (fd < 0)
		return fd;
	while (length + 1 < OUTPUT_MAX && (n = read(fd, text + length, OUTPUT_MAX - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return -EBADMSG;
	*ret = json_tokener_parse(text);
	return *ret ? 0 : -EBADMSG;
}

void check_configuration(struct check *check)
{
	json_object *errors = json_get_array(check->file_content, "errors"), *sections = NULL;
	size_t n = errors ? json_object_array_length(errors) : 0;

	if (!check->file_content) {
		check_warn(check, "install strongswan-plugin-encdns, and run this as root",
			"%s cannot be looked into", check->file);
		return;
	}
	for (size_t i = 0; i < n; i++)
		check_broken(check, "correct the file, and then: swanctl --reload-settings", "%s",
			json_object_get_string(json_object_array_get_idx(errors, i)));
	json_object_object_get_ex(check->file_content, "sections", &sections);
	if (n == 0 && json_object_object_length(sections) == 0)
		check_broken(check, "see encdns.conf(5), and then: swanctl --reload-settings",
			"%s has no section encrypted-dns, so nothing is handed out or asked for", check->file);
	else if (n == 0)
		check_fine(check, "the section encrypted-dns of %s is valid", check->file);
}

void check_loaded(struct check *check)
{
	json_object *plugin = NULL, *errors;

	json_object_object_get_ex(check->status, "plugin", &plugin);
	if (!plugin)
		return;
	errors = json_get_array(plugin, "config-errors");
	if (json_get_flag(plugin, "stale"))
		check_warn(check, "swanctl --reload-settings", "%s is newer than what charon has loaded",
			json_get_text(plugin, "config-file"));
	else if (errors && json_object_array_length(errors) > 0)
		check_broken(check, "correct the file, and then: swanctl --reload-settings",
			"charon has refused %s, and goes on with what it had before",
			json_get_text(plugin, "config-file"));
	else
		check_fine(check, "charon has loaded %s as it is", json_get_text(plugin, "config-file"));
}
