/*
 * What is in flight, by what it asks: who asks the same meanwhile waits for that answer, and nothing
 * goes out a second time. resolved asks on both links of a connection at once, and by both it
 * reaches the same forwarder.
 */
#pragma once

#include "query.h"

struct inflight;

int inflight_new(struct inflight **ret); /* 0 or -ENOMEM */
struct inflight *inflight_free(struct inflight *inflight); /* not the queries; takes NULL */

/*
 * False: nothing of the kind is under way, this is the one to go out, until inflight_leave. True:
 * it waits for one that went out not more than LIMIT_MERGE_USEC ago.
 */
bool inflight_join(struct inflight *inflight, struct query *query);

/* Forgets one that went out. Those that wait for it, linked by their followers, or NULL. */
struct query *inflight_leave(struct inflight *inflight, struct query *query);
