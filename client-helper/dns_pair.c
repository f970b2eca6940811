#include "dns_pair.h"

#include <errno.h>
#include <stdlib.h>
#include "resolved.h"

enum { ENDS = DNS_PAIR_GUARD + 1 };

struct dns_pair {
	sd_bus *bus;
	dns_pair_changed_t changed;
	void *userdata;
	struct dns_link *links[ENDS]; /* NULL: not there */
	int ifindex[ENDS];
};

static void on_link(struct dns_link *link, void *userdata)
{
	struct dns_pair *pair = userdata;

	pair->changed(pair->userdata);
}

int dns_pair_new(sd_bus *bus, dns_pair_changed_t changed, void *userdata, struct dns_pair **ret)
{
	struct dns_pair *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	pair->bus = bus;
	pair->changed = changed;
	pair->userdata = userdata;
	*ret = pair;
	return 0;
}

int dns_pair_add(struct dns_pair *pair, enum dns_pair_end end, int ifindex)
{
	dns_pair_drop(pair, end);
	pair->ifindex[end] = ifindex;
	return dns_link_new(pair->bus, ifindex, on_link, pair, &pair->links[end]);
}

void dns_pair_drop(struct dns_pair *pair, enum dns_pair_end end)
{
	pair->links[end] = dns_link_free(pair->links[end]);
}

bool dns_pair_has(const struct dns_pair *pair, enum dns_pair_end end)
{
	return pair && pair->links[end];
}

int dns_pair_set(struct dns_pair *pair, const struct dns_link_settings *settings)
{
	int r = 0;

	for (size_t i = 0; i < ENDS && r >= 0; i++)
		if (pair->links[i])
			r = dns_link_set(pair->links[i], settings);
	return r;
}

static void for_each(struct dns_pair *pair, void (*what)(struct dns_link *link))
{
	for (size_t i = 0; pair && i < ENDS; i++)
		if (pair->links[i])
			what(pair->links[i]);
}

void dns_pair_revert(struct dns_pair *pair)
{
	for_each(pair, dns_link_revert);
}

void dns_pair_check(struct dns_pair *pair)
{
	for_each(pair, dns_link_check);
}

void dns_pair_lost(struct dns_pair *pair)
{
	for_each(pair, dns_link_lost);
}

void dns_pair_found(struct dns_pair *pair)
{
	for_each(pair, dns_link_found);
}

static const struct dns_link *judged(const struct dns_pair *pair)
{
	return pair->links[DNS_PAIR_LINK] ? pair->links[DNS_PAIR_LINK] : pair->links[DNS_PAIR_GUARD];
}

enum dns_link_state dns_pair_state(const struct dns_pair *pair)
{
	enum dns_link_state state = dns_link_state(judged(pair));

	/* Who is leaving waits for both. */
	for (size_t i = 0; state == DNS_LINK_REVERTED && i < ENDS; i++)
		if (pair->links[i])
			state = dns_link_state(pair->links[i]);
	return state;
}

const char *dns_pair_reason(const struct dns_pair *pair)
{
	return dns_link_reason(judged(pair));
}

struct dns_pair *dns_pair_abandon(struct dns_pair *pair)
{
	for (size_t i = 0; pair && i < ENDS; i++)
		if (pair->links[i])
			resolved_revert(pair->bus, pair->ifindex[i], NULL, NULL, NULL);
	return dns_pair_free(pair);
}

struct dns_pair *dns_pair_free(struct dns_pair *pair)
{
	for (size_t i = 0; pair && i < ENDS; i++)
		dns_link_free(pair->links[i]);
	free(pair);
	return NULL;
}
