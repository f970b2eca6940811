#include "state_file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include "address.h"
#include "json_file.h"
#include "util.h"

#define PREFIX "encdns"
#define SUFFIX ".json"
#define DIGITS_MAX 9 /* an interface's name has 15 characters */

void saved_connection_clear(struct saved_connection *saved)
{
	free(saved->connection);
	free(saved->link);
	list_free(saved->domains);
	list_free(saved->anchors);
	list_free(saved->insecure);
	free(saved->gateway);
	list_free(saved->gateway_hosts.names);
	free(saved->organization);
	free(saved->why);
	memset(saved, 0, sizeof(*saved));
}

bool state_file_is_link(const char *name)
{
	const char *digits = name + strlen(PREFIX);

	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && strlen(digits) >= 1 &&
		   strlen(digits) <= DIGITS_MAX && strspn(digits, "0123456789") == strlen(digits);
}

static void add_hosts(json_object *object, const struct known_hosts *hosts)
{
	char address[ADDRESS_TEXT];

	if (!hosts->names)
		return;
	json_add(object, "gateway-names", json_list(hosts->names));
	json_add_text(object, "gateway-address", address_to_text(&hosts->address, address));
}

static json_object *to_json(const struct saved_connection *saved)
{
	json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_add_text(object, "connection", saved->connection);
	json_add(object, "domains", json_list(saved->domains));
	json_add(object, "trust-anchors", json_list(saved->anchors));
	json_add(object, "insecure", json_list(saved->insecure));
	json_add_flag(object, "full", saved->full);
	json_add_number(object, "family-outside", saved->family_outside);
	json_add_text(object, "gateway", saved->gateway);
	add_hosts(object, &saved->gateway_hosts);
	json_add_text(object, "organization", saved->organization);
	json_add_text(object, "why", saved->why);
	json_add_flag(object, "block", saved->block);
	return object;
}

int state_file_save(const char *folder, const struct saved_connection *saved)
{
	cleanup_json json_object *object = to_json(saved);
	cleanup_free char *path = NULL;

	if (!object || format(&path, "%s/%s" SUFFIX, folder, saved->link) < 0)
		return -ENOMEM;
	json_add_text(object, "link", saved->link);
	json_add_number(object, "ifindex", saved->ifindex);
	json_add_number(object, "port", saved->port);
	json_add_flag(object, "held", saved->held);
	return json_file_write(path, object);
}

int state_file_remove(const char *folder, const char *link)
{
	cleanup_free char *path = NULL;

	if (format(&path, "%s/%s" SUFFIX, folder, link) < 0)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int get_hosts(json_object *object, struct known_hosts *ret)
{
	const char *address = json_get_text(object, "gateway-address");

	if (!address || address_from_text(address, &ret->address) < 0)
		return 0;
	return json_get_list(object, "gateway-names", &ret->names);
}

/* -EBADMSG where it cannot be used. */
static int from_json(json_object *object, struct saved_connection *saved)
{
	const char *connection = json_get_text(object, "connection");
	int r;

	if (!connection)
		return -EBADMSG;
	saved->full = json_get_flag(object, "full");
	saved->family_outside = (int)json_get_number(object, "family-outside");
	saved->block = json_get_flag(object, "block");
	r = copy_text(&saved->connection, connection);
	if (r >= 0)
		r = copy_text(&saved->gateway, json_get_text(object, "gateway"));
	if (r >= 0)
		r = get_hosts(object, &saved->gateway_hosts);
	if (r >= 0)
		r = copy_text(&saved->organization, json_get_text(object, "organization"));
	if (r >= 0)
		r = copy_text(&saved->why, json_get_text(object, "why"));
	if (r >= 0)
		r = json_get_list(object, "domains", &saved->domains);
	if (r >= 0)
		r = json_get_list(object, "trust-anchors", &saved->anchors);
	if (r >= 0)
		r = json_get_list(object, "insecure", &saved->insecure);
	return r >= 0 && !saved->domains ? -EBADMSG : r;
}

static int link_from_json(json_object *object, struct saved_connection *saved)
{
	int64_t ifindex = json_get_number(object, "ifindex"), port = json_get_number(object, "port");
	const char *link = json_get_text(object, "link");

	if (!link || !state_file_is_link(link) || ifindex <= 0 || ifindex > INT32_MAX || port <= 0 ||
		port > UINT16_MAX)
		return -EBADMSG;
	saved->ifindex = (int)ifindex;
	saved->port = (uint16_t)port;
	saved->held = json_get_flag(object, "held");
	return copy_text(&saved->link, link);
}

static int load_one(const char *folder, const char *name, struct saved_connection *ret)
{
	cleanup_json json_object *object = NULL;
	struct saved_connection saved = {};
	cleanup_free char *path = NULL, *expected = NULL;
	int r;

	if (format(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	r = json_file_read(path, &object);
	if (r >= 0)
		r = from_json(object, &saved);
	if (r >= 0)
		r = link_from_json(object, &saved);
	if (r >= 0)
		r = format(&expected, "%s" SUFFIX, saved.link);
	if (r >= 0 && strcmp(expected, name) != 0)
		r = -EBADMSG;
	if (r < 0) {
		saved_connection_clear(&saved);
		return r;
	}
	*ret = saved;
	return 0;
}

static bool is_state_file(const char *name)
{
	size_t length = strlen(name);

	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && length > strlen(SUFFIX) &&
		   strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

int state_file_load(const char *folder, struct saved_connection **ret, size_t *ret_n)
{
	struct saved_connection *list = NULL, *grown;
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	dir = opendir(folder);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!is_state_file(entry->d_name))
			continue;
		grown = reallocarray(list, n + 1, sizeof(*grown));
		if (!grown)
			break;
		list = grown;
		if (load_one(folder, entry->d_name, &list[n]) >= 0)
			n++;
	}
	closedir(dir);
	*ret = list;
	*ret_n = n;
	return 0;
}

int blocks_file_save(const char *path, const struct saved_connection *list, size_t n)
{
	cleanup_json json_object *array = NULL;

	if (n == 0)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	array = json_object_new_array();
	for (size_t i = 0; array && i < n; i++)
		json_object_array_add(array, to_json(&list[i]));
	return array ? json_file_write(path, array) : -ENOMEM;
}

int blocks_file_load(const char *path, struct saved_connection **ret, size_t *ret_n)
{
	cleanup_json json_object *array = NULL;
	struct saved_connection *list;
	size_t length, n = 0;
	int r;

	r = json_file_read(path, &array);
	if (r < 0 && r != -ENOENT)
		return r;
	length = json_length(array);
	list = calloc(length + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		if (from_json(json_object_array_get_idx(array, i), &list[n]) >= 0)
			n++;
		else
			saved_connection_clear(&list[n]);
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
