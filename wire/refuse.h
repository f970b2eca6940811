/*
 * How a decoder of this folder says no: `return refuse(ret_why, "the value is empty");`
 */
#pragma once

#include <errno.h>
#include <stddef.h>

static inline int refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return -EBADMSG;
}

/* The same for an encoder: what it was given is not what it may send. */
static inline int refuse_to_send(const char **ret_why, const char *why)
{
	refuse(ret_why, why);
	return -EINVAL;
}
