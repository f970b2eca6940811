#include "encdns_current.h"

#include <threading/mutex.h>
#include <threading/thread.h>

typedef struct private_encdns_current_t private_encdns_current_t;

/**
 * Private data of an encdns_current_t object.
 */
struct private_encdns_current_t {

	/**
	 * Public interface
	 */
	encdns_current_t public;

	/**
	 * Path of swanctl.conf
	 */
	char *file;

	/**
	 * Configuration in force
	 */
	encdns_config_t *config;

	/**
	 * What was wrong with the last load, char*
	 */
	linked_list_t *errors;

	/**
	 * Lock for the two above
	 */
	mutex_t *mutex;
};

/**
 * Hears what libstrongswan's parser logs: nowhere else does it tell the line of a syntax error.
 */
typedef struct {
	logger_t logger;
	encdns_report_t *report;
	int thread;
} listener_logger_t;

METHOD(logger_t, hear, void,
	listener_logger_t *this, debug_t group, level_t level, int thread,
	ike_sa_t *ike_sa, const char *message)
{
	const char *what;
	char *place;

	/* "/etc/swanctl/swanctl.conf:12: syntax error, unexpected ..." */
	if (thread == this->thread && path_absolute(message) &&
		(what = strstr(message, ": ")))
	{
		place = strndup(message, what - message);
		this->report->add(this->report, place, "%s", what + 2);
		free(place);
	}
}

METHOD(logger_t, hear_level, level_t,
	listener_logger_t *this, debug_t group)
{
	return group == DBG_CFG ? LEVEL_CTRL : LEVEL_SILENT;
}

METHOD(encdns_current_t, load, bool,
	private_encdns_current_t *this)
{
	listener_logger_t logger = {
		.logger = {
			.log = _hear,
			.get_level = _hear_level,
		},
		.thread = thread_current_id(),
	};
	encdns_config_t *config, *old = NULL;
	encdns_report_t *report;
	enumerator_t *enumerator;
	linked_list_t *errors, *previous;
	char *message;

	logger.report = report = encdns_report_create();
	charon->bus->add_logger(charon->bus, &logger.logger);
	config = encdns_config_load(this->file, report);
	charon->bus->remove_logger(charon->bus, &logger.logger);

	errors = linked_list_create();
	enumerator = report->create_enumerator(report);
	while (enumerator->enumerate(enumerator, &message))
	{
		DBG1(DBG_CFG, "encdns: %s", message);
		errors->insert_last(errors, strdup(message));
	}
	enumerator->destroy(enumerator);
	report->destroy(report);
	if (!config)
	{
		DBG1(DBG_CFG, "encdns: %s is not used, what was loaded before stays "
			 "in force", this->file);
	}

	this->mutex->lock(this->mutex);
	if (config)
	{
		old = this->config;
		this->config = config;
	}
	previous = this->errors;
	this->errors = errors;
	this->mutex->unlock(this->mutex);

	DESTROY_IF(old);
	previous->destroy_function(previous, free);
	return config != NULL;
}

METHOD(encdns_current_t, get, encdns_config_t*,
	private_encdns_current_t *this)
{
	encdns_config_t *config;

	this->mutex->lock(this->mutex);
	config = this->config->get_ref(this->config);
	this->mutex->unlock(this->mutex);
	return config;
}

METHOD(encdns_current_t, get_file, const char*,
	private_encdns_current_t *this)
{
	return this->file;
}

METHOD(encdns_current_t, get_errors, linked_list_t*,
	private_encdns_current_t *this)
{
	linked_list_t *errors;
	enumerator_t *enumerator;
	char *message;

	errors = linked_list_create();
	this->mutex->lock(this->mutex);
	enumerator = this->errors->create_enumerator(this->errors);
	while (enumerator->enumerate(enumerator, &message))
	{
		errors->insert_last(errors, strdup(message));
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);
	return errors;
}

METHOD(encdns_current_t, destroy, void,
	private_encdns_current_t *this)
{
	this->config->destroy(this->config);
	this->errors->destroy_function(this->errors, free);
	this->mutex->destroy(this->mutex);
	free(this->file);
	free(this);
}

/*
 * Described in header
 */
encdns_current_t *encdns_current_create(const char *file)
{
	private_encdns_current_t *this;

	INIT(this,
		.public = {
			.load = _load,
			.get = _get,
			.get_file = _get_file,
			.get_errors = _get_errors,
			.destroy = _destroy,
		},
		.file = strdup(file),
		.config = encdns_config_create_empty(),
		.errors = linked_list_create(),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	return &this->public;
}
