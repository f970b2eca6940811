#include "links_file.h"

#include <errno.h>
#include <string.h>
#include "json_file.h"
#include "util.h"

static json_object *domains_to_json(const struct link_domains *domains)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < domains->n; i++) {
		cleanup_free char *text = NULL;

		set_text(&text, "%s%s", domains->list[i].route_only ? "~" : "", domains->list[i].name);
		if (text)
			json_object_array_add(array, json_object_new_string(text));
	}
	return array;
}

static int domains_from_json(json_object *object, const char *name, struct link_domains *domains)
{
	cleanup_list char **list = NULL;
	int r;

	r = json_get_list(object, name, &list);
	for (size_t i = 0; list && list[i] && r >= 0; i++)
		r = link_domains_add(domains, list[i] + (list[i][0] == '~'), list[i][0] == '~');
	return r;
}

int links_file_save(const char *path, struct other_link *const *links, size_t n)
{
	cleanup_json json_object *array = json_object_new_array();
	size_t taken = 0;

	if (!array)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		json_object *object;

		if (!links[i]->taken)
			continue;
		taken++;
		object = json_object_new_object();
		json_add_number(object, "ifindex", links[i]->ifindex);
		json_add_text(object, "link", links[i]->name);
		json_add_flag(object, "networkd", links[i]->networkd);
		json_add_flag(object, "pinned", links[i]->pinned);
		json_add(object, "base", domains_to_json(&links[i]->base));
		json_add(object, "set", domains_to_json(&links[i]->set));
		json_object_array_add(array, object);
	}
	if (taken == 0)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	return json_file_write(path, array);
}

static int load_one(json_object *object, struct other_link **ret)
{
	const char *name = json_get_text(object, "link");
	int ifindex = (int)json_get_number(object, "ifindex");
	char actual[IF_NAMESIZE];
	struct other_link *other;
	int r;

	*ret = NULL;
	if (!name || ifindex <= 0 || !if_indextoname(ifindex, actual) || strcmp(name, actual) != 0)
		return 0;
	other = calloc(1, sizeof(*other));
	if (!other)
		return -ENOMEM;
	other->ifindex = ifindex;
	strcpy(other->name, actual);
	other->taken = true;
	other->networkd = json_get_flag(object, "networkd");
	other->pinned = json_get_flag(object, "pinned");
	r = domains_from_json(object, "base", &other->base);
	if (r >= 0)
		r = domains_from_json(object, "set", &other->set);
	if (r < 0) {
		other_link_free(other);
		return r;
	}
	*ret = other;
	return 0;
}

int links_file_load(const char *path, struct other_link ***ret, size_t *ret_n)
{
	cleanup_json json_object *array = NULL;
	struct other_link **list, *other;
	size_t length, n = 0;
	int r;

	r = json_file_read(path, &array);
	if (r == -ENOMEM)
		return r;
	length = json_length(array);
	list = calloc(length + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		r = load_one(json_object_array_get_idx(array, i), &other);
		if (r < 0)
			break;
		if (other)
			list[n++] = other;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
