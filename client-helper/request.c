#include "request.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"

void request_clear(struct request *request)
{
	free(request->connection);
	free(request->link);
	free(request->virtual_ips);
	free(request->selectors);
	for (size_t i = 0; i < request->n_attributes; i++)
		free(request->attributes[i].value);
	free(request->attributes);
	free(request->algorithms);
	free(request->gateway);
	list_free(request->gateway_hosts.names);
	policy_clear(&request->policy);
	memset(request, 0, sizeof(*request));
}

bool request_has_family(const struct request *request, int family)
{
	for (size_t i = 0; i < request->n_virtual_ips; i++)
		if (request->virtual_ips[i].family == family)
			return true;
	return false;
}
