#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void server_clear(struct server *server)
{
	free(server->adn);
	free(server->dohpath);
	free(server->addresses);
	free(server->pins);
	*server = (struct server){0};
}

/* An empty array stays NULL. */
static int copy_array(const void *array, size_t n, size_t size, void *ret)
{
	void *copy = NULL;

	if (n > 0) {
		copy = calloc(n, size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, array, n * size);
	}
	memcpy(ret, &copy, sizeof(copy));
	return 0;
}

static int copy_string(const char *string, char **ret)
{
	return string ? copy_array(string, strlen(string) + 1, 1, ret) : 0;
}

int server_copy(const struct server *server, struct server *ret)
{
	struct server copy = {
		.priority = server->priority,
		.transport = server->transport,
		.port = server->port,
		.n_addresses = server->n_addresses,
		.n_pins = server->n_pins,
	};

	if (copy_string(server->adn, &copy.adn) < 0 ||
		copy_string(server->dohpath, &copy.dohpath) < 0 ||
		copy_array(server->addresses, server->n_addresses, sizeof(*server->addresses),
			&copy.addresses) < 0 ||
		copy_array(server->pins, server->n_pins, sizeof(*server->pins), &copy.pins) < 0) {
		server_clear(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

static bool equal_strings(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool addresses_equal(const struct address *a, size_t n_a, const struct address *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (a[i].family != b[i].family || a[i].outside != b[i].outside ||
			memcmp(a[i].bytes, b[i].bytes, a[i].family == AF_INET ? 4 : 16) != 0)
			return false;
	return true;
}

bool server_equal(const struct server *a, const struct server *b)
{
	if (a->priority != b->priority || a->transport != b->transport || a->port != b->port ||
		a->n_pins != b->n_pins || !equal_strings(a->adn, b->adn) ||
		!equal_strings(a->dohpath, b->dohpath) ||
		!addresses_equal(a->addresses, a->n_addresses, b->addresses, b->n_addresses))
		return false;
	for (size_t i = 0; i < a->n_pins; i++)
		if (a->pins[i].algorithm != b->pins[i].algorithm ||
			a->pins[i].length != b->pins[i].length ||
			memcmp(a->pins[i].digest, b->pins[i].digest, a->pins[i].length) != 0)
			return false;
	return true;
}

socklen_t address_to_sockaddr(
	const struct address *address, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){.ss_family = address->family};
	if (address->family == AF_INET) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ret;

		sin->sin_addr = address->in;
		sin->sin_port = htons(port);
		return sizeof(*sin);
	} else {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ret;

		sin6->sin6_addr = address->in6;
		sin6->sin6_port = htons(port);
		return sizeof(*sin6);
	}
}

const char *transport_to_string(enum transport transport)
{
	static const char *const names[] = {
		[TRANSPORT_PLAIN] = "plain",
		[TRANSPORT_DOT] = "DoT",
		[TRANSPORT_DOH] = "DoH",
	};

	return names[transport];
}
