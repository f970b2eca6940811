#include "encdns_files.h"

#include "encdns_bounds.h"

#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

/**
 * The pattern behind an `include` statement, NULL if the line is none.
 */
static char *included(char *line)
{
	char *pattern, *end;

	line += strspn(line, " \t{");
	if (!strpfx(line, "include") || !strchr(" \t", line[7]))
	{
		return NULL;
	}
	pattern = line + 7 + strspn(line + 7, " \t\"");
	end = pattern + strcspn(pattern, " \t\"\r\n#}");
	*end = '\0';
	return *pattern && *pattern != '=' ? pattern : NULL;
}

/**
 * Modification time of the newest of the files that match, and of what they include.
 */
static uint64_t newest(const char *pattern, int depth)
{
	uint64_t time = 0, current;
	char *line = NULL, *relative, *path, *folder;
	struct stat st;
	size_t size = 0, i;
	glob_t files;
	FILE *file;

	if (depth == ENCDNS_INCLUDES_MAX || glob(pattern, 0, NULL, &files))
	{
		return 0;
	}
	for (i = 0; i < files.gl_pathc; i++)
	{
		file = fopen(files.gl_pathv[i], "re");
		if (!file)
		{
			continue;
		}
		if (!fstat(fileno(file), &st))
		{
			current = st.st_mtim.tv_sec * 1000000ULL +
					  st.st_mtim.tv_nsec / 1000;
			time = max(time, current);
		}
		while (getline(&line, &size, file) >= 0)
		{
			relative = included(line);
			if (!relative)
			{
				continue;
			}
			folder = path_absolute(relative) ? NULL
											 : path_dirname(files.gl_pathv[i]);
			if (asprintf(&path, "%s%s%s", folder ?: "", folder ? "/" : "",
						 relative) >= 0)
			{
				current = newest(path, depth + 1);
				time = max(time, current);
				free(path);
			}
			free(folder);
		}
		fclose(file);
	}
	free(line);
	globfree(&files);
	return time;
}

/*
 * Described in header
 */
uint64_t encdns_files_newest(const char *file)
{
	return newest(file, 0);
}
