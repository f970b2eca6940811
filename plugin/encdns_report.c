#include "encdns_report.h"

#include <stdio.h>

typedef struct private_encdns_report_t private_encdns_report_t;

/**
 * Private data of an encdns_report_t object.
 */
struct private_encdns_report_t {

	/**
	 * Public interface
	 */
	encdns_report_t public;

	/**
	 * Messages, as char*
	 */
	linked_list_t *messages;
};

/* Implementation of encdns_report_t.add, which METHOD would take the format's check from */
__attribute__((format(printf, 3, 4)))
static void add(encdns_report_t *public, const char *path, const char *fmt, ...)
{
	private_encdns_report_t *this = (private_encdns_report_t*)public;
	char *what, *message;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&what, fmt, args);
	va_end(args);
	if (len < 0)
	{
		return;
	}
	if (asprintf(&message, "%s: %s", path, what) >= 0)
	{
		this->messages->insert_last(this->messages, message);
	}
	free(what);
}

METHOD(encdns_report_t, get_count, u_int,
	private_encdns_report_t *this)
{
	return this->messages->get_count(this->messages);
}

METHOD(encdns_report_t, create_enumerator, enumerator_t*,
	private_encdns_report_t *this)
{
	return this->messages->create_enumerator(this->messages);
}

METHOD(encdns_report_t, destroy, void,
	private_encdns_report_t *this)
{
	this->messages->destroy_function(this->messages, free);
	free(this);
}

/*
 * Described in header
 */
encdns_report_t *encdns_report_create(void)
{
	private_encdns_report_t *this;

	INIT(this,
		.public = {
			.add = add,
			.get_count = _get_count,
			.create_enumerator = _create_enumerator,
			.destroy = _destroy,
		},
		.messages = linked_list_create(),
	);
	return &this->public;
}
