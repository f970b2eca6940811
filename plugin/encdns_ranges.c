#include "encdns_ranges.h"

/**
 * Does a selector let all traffic of its addresses pass? One for some ports would have the rest, our
 * DNS perhaps, go out in the clear.
 */
static bool is_whole(traffic_selector_t *selector)
{
	return !selector->get_protocol(selector) &&
		   selector->get_from_port(selector) == 0 &&
		   selector->get_to_port(selector) == 0xffff;
}

/**
 * Does a CHILD_SA take packets from one of the virtual IPs of a family?
 */
static bool takes_vip(child_sa_t *child_sa, linked_list_t *vips, int family)
{
	enumerator_t *selectors, *hosts;
	traffic_selector_t *selector;
	host_t *vip;
	bool takes = FALSE;

	selectors = child_sa->create_ts_enumerator(child_sa, TRUE);
	while (!takes && selectors->enumerate(selectors, &selector))
	{
		hosts = vips->create_enumerator(vips);
		while (!takes && hosts->enumerate(hosts, &vip))
		{
			takes = vip->get_family(vip) == family && is_whole(selector) &&
					selector->includes(selector, vip);
		}
		hosts->destroy(hosts);
	}
	selectors->destroy(selectors);
	return takes;
}

/**
 * Add a range unless it is there already.
 */
static void add_range(linked_list_t *ranges, encdns_range_t *range)
{
	enumerator_t *enumerator;
	encdns_range_t *current;
	bool there = FALSE;

	enumerator = ranges->create_enumerator(ranges);
	while (!there && enumerator->enumerate(enumerator, &current))
	{
		there = memeq(current, range, sizeof(*range));
	}
	enumerator->destroy(enumerator);
	if (!there)
	{
		ranges->insert_last(ranges, chunk_clone(chunk_from_thing(*range)).ptr);
	}
}

/**
 * Add the remote selectors of a CHILD_SA.
 */
static void add_ranges(linked_list_t *ranges, child_sa_t *child_sa,
					   linked_list_t *vips)
{
	enumerator_t *enumerator;
	traffic_selector_t *selector;
	encdns_range_t range;
	chunk_t from, to;

	enumerator = child_sa->create_ts_enumerator(child_sa, FALSE);
	while (enumerator->enumerate(enumerator, &selector))
	{
		from = selector->get_from_address(selector);
		to = selector->get_to_address(selector);
		memset(&range, 0, sizeof(range));
		range.family = from.len == 4 ? AF_INET : AF_INET6;
		if (is_whole(selector) && from.len <= sizeof(range.first) &&
			from.len == to.len && takes_vip(child_sa, vips, range.family))
		{
			memcpy(range.first, from.ptr, from.len);
			memcpy(range.last, to.ptr, to.len);
			add_range(ranges, &range);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Is a CHILD_SA installed, as far as its state tells?
 */
static bool is_installed(child_sa_t *child_sa)
{
	switch (child_sa->get_state(child_sa))
	{
		case CHILD_INSTALLED:
		case CHILD_UPDATING:
		case CHILD_REKEYING:
			return TRUE;
		default:
			return FALSE;
	}
}

/*
 * Described in header
 */
linked_list_t *encdns_ranges_collect(ike_sa_t *ike_sa, child_sa_t *up,
									 child_sa_t *down)
{
	linked_list_t *ranges, *vips;
	enumerator_t *enumerator;
	child_sa_t *child_sa;

	ranges = linked_list_create();
	vips = linked_list_create_from_enumerator(
						ike_sa->create_virtual_ip_enumerator(ike_sa, TRUE));
	enumerator = ike_sa->create_child_sa_enumerator(ike_sa);
	while (enumerator->enumerate(enumerator, &child_sa))
	{
		if (child_sa != down && is_installed(child_sa))
		{
			add_ranges(ranges, child_sa, vips);
		}
	}
	enumerator->destroy(enumerator);
	if (up)
	{
		add_ranges(ranges, up, vips);
	}
	vips->destroy(vips);
	return ranges;
}

/*
 * Described in header
 */
bool encdns_ranges_equal(linked_list_t *a, linked_list_t *b)
{
	enumerator_t *one, *other;
	encdns_range_t *x, *y;
	bool equal = a->get_count(a) == b->get_count(b);

	one = a->create_enumerator(a);
	other = b->create_enumerator(b);
	while (equal && one->enumerate(one, &x) && other->enumerate(other, &y))
	{
		equal = memeq(x, y, sizeof(*x));
	}
	one->destroy(one);
	other->destroy(other);
	return equal;
}
