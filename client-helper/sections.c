#include "sections.h"

#include <string.h>
#include "json_file.h"
#include "util.h"

char **section_list(json_object *section, const char *key)
{
	const char *text = json_get_text(section, key);
	cleanup_free char *copy = strdup(text ? text : "");
	char **list = NULL, *next;

	for (char *word = copy ? strtok_r(copy, ",", &next) : NULL; word;
		 word = strtok_r(NULL, ",", &next)) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (*word && list_add(&list, word) < 0)
			break;
	}
	return list;
}

bool section_list_has(char *const *list, const char *word)
{
	for (size_t i = 0; list && list[i]; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

json_object *section_resolver(json_object *section, const char *alpn)
{
	json_object *resolvers = NULL, *best = NULL;
	int least = 0;

	if (!json_object_object_get_ex(section, "resolvers", &resolvers))
		return NULL;
	json_object_object_foreach(resolvers, name, resolver)
	{
		cleanup_list char **protocols = section_list(resolver, "alpn");
		const char *text = json_get_text(resolver, "priority");
		int priority = text ? atoi(text) : 1;

		(void)name;
		if (!section_list_has(protocols, alpn) || (best && priority >= least))
			continue;
		best = resolver;
		least = priority;
	}
	return best;
}
