#include "suffix.h"

#include <dlfcn.h>
#include <errno.h>
#include <libpsl.h>

int suffix_is_public(const char *domain)
{
	/* It stays once it is there; each call only counts one user more, and takes it back. */
	void *library = dlopen("libpsl.so.5", RTLD_NOW | RTLD_NODELETE);
	__typeof__(&psl_builtin) builtin;
	__typeof__(&psl_is_public_suffix) is_public_suffix;
	const psl_ctx_t *list = NULL;
	int result = -ENOENT;

	if (!library)
		return -ENOENT;
	builtin = dlsym(library, "psl_builtin");
	is_public_suffix = dlsym(library, "psl_is_public_suffix");
	if (builtin && is_public_suffix)
		list = builtin();
	if (list)
		result = is_public_suffix(list, domain);
	dlclose(library);
	return result;
}
