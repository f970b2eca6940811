#include "fake_ike.h"

#include <encoding/payloads/cp_payload.h>

METHOD(child_sa_t, get_state, child_sa_state_t,
	fake_child_t *this)
{
	return this->state;
}

METHOD(child_sa_t, create_ts_enumerator, enumerator_t*,
	fake_child_t *this, bool local)
{
	return local ? this->local->create_enumerator(this->local)
				 : this->remote->create_enumerator(this->remote);
}

static linked_list_t *parse_selectors(const char *text, uint16_t from, uint16_t to)
{
	linked_list_t *selectors = linked_list_create();
	enumerator_t *enumerator;
	traffic_selector_t *selector;
	char *item;

	enumerator = enumerator_create_token(text, ",", " ");
	while (enumerator->enumerate(enumerator, &item))
	{
		selector = traffic_selector_create_from_cidr(item, from ? IPPROTO_TCP : 0, from, to);
		assert_non_null(selector);
		selectors->insert_last(selectors, selector);
	}
	enumerator->destroy(enumerator);
	return selectors;
}

static fake_child_t *create_child(const char *local, const char *remote, uint16_t from, uint16_t to)
{
	fake_child_t *this;

	INIT(this,
		.public = {
			.get_state = _get_state,
			.create_ts_enumerator = _create_ts_enumerator,
		},
		.state = CHILD_INSTALLED,
		.local = parse_selectors(local, 0, 65535),
		.remote = parse_selectors(remote, from, to),
	);
	return this;
}

fake_child_t *fake_child_create(const char *local, const char *remote)
{
	return create_child(local, remote, 0, 65535);
}

fake_child_t *fake_child_create_port(const char *local, const char *remote, uint16_t port)
{
	return create_child(local, remote, port, port);
}

void fake_child_destroy(fake_child_t *this)
{
	this->local->destroy_offset(this->local, offsetof(traffic_selector_t, destroy));
	this->remote->destroy_offset(this->remote, offsetof(traffic_selector_t, destroy));
	free(this);
}

METHOD(ike_sa_t, get_unique_id, uint32_t,
	fake_ike_t *this)
{
	return this->id;
}

METHOD(ike_sa_t, get_name, char*,
	fake_ike_t *this)
{
	return this->name;
}

METHOD(ike_sa_t, get_ike_state, ike_sa_state_t,
	fake_ike_t *this)
{
	return this->state;
}

METHOD(ike_sa_t, get_other_id, identification_t*,
	fake_ike_t *this)
{
	return this->other;
}

METHOD(ike_sa_t, get_other_host, host_t*,
	fake_ike_t *this)
{
	return this->other_host;
}

METHOD(ike_sa_t, get_ike_cfg, ike_cfg_t*,
	fake_ike_t *this)
{
	return &this->config;
}

METHOD(ike_cfg_t, get_other_addr, char*,
	ike_cfg_t *this)
{
	return "vpn.corp.test, 192.0.2.0/24";
}

METHOD(ike_sa_t, create_virtual_ip_enumerator, enumerator_t*,
	fake_ike_t *this, bool local)
{
	assert_true(local);
	return this->vips->create_enumerator(this->vips);
}

METHOD(ike_sa_t, create_child_sa_enumerator, enumerator_t*,
	fake_ike_t *this)
{
	return this->children->create_enumerator(this->children);
}

METHOD(ike_sa_t, create_task_enumerator, enumerator_t*,
	fake_ike_t *this, task_queue_t queue)
{
	return queue == TASK_QUEUE_QUEUED ? this->tasks->create_enumerator(this->tasks)
									  : enumerator_create_empty();
}

METHOD(task_t, get_delete_type, task_type_t,
	task_t *this)
{
	return TASK_IKE_DELETE;
}

void fake_ike_queue_delete(fake_ike_t *this)
{
	task_t *task;

	INIT(task,
		.get_type = _get_delete_type,
	);
	this->tasks->insert_last(this->tasks, task);
}

fake_ike_t *fake_ike_create(uint32_t id, char *name, const char *vips)
{
	enumerator_t *enumerator;
	fake_ike_t *this;
	char *vip;

	INIT(this,
		.public = {
			.get_unique_id = _get_unique_id,
			.get_name = _get_name,
			.get_state = _get_ike_state,
			.get_other_id = _get_other_id,
			.get_other_host = _get_other_host,
			.get_ike_cfg = _get_ike_cfg,
			.create_virtual_ip_enumerator = _create_virtual_ip_enumerator,
			.create_child_sa_enumerator = _create_child_sa_enumerator,
			.create_task_enumerator = _create_task_enumerator,
		},
		.id = id,
		.name = name,
		.state = IKE_ESTABLISHED,
		.other = identification_create_from_string("vpn.corp.test"),
		.other_host = host_create_from_string("192.0.2.7", 500),
		.config = {
			.get_other_addr = _get_other_addr,
		},
		.vips = linked_list_create(),
		.children = linked_list_create(),
		.tasks = linked_list_create(),
	);
	enumerator = enumerator_create_token(vips, ",", " ");
	while (enumerator->enumerate(enumerator, &vip))
	{
		this->vips->insert_last(this->vips, host_create_from_string(vip, 0));
	}
	enumerator->destroy(enumerator);
	return this;
}

void fake_ike_destroy(fake_ike_t *this)
{
	this->other->destroy(this->other);
	this->other_host->destroy(this->other_host);
	this->vips->destroy_offset(this->vips, offsetof(host_t, destroy));
	this->children->destroy(this->children);
	this->tasks->destroy_function(this->tasks, free);
	free(this);
}

METHOD(message_t, get_request, bool,
	fake_message_t *this)
{
	return this->request;
}

METHOD(message_t, get_exchange_type, exchange_type_t,
	fake_message_t *this)
{
	return IKE_AUTH;
}

METHOD(message_t, get_payload, payload_t*,
	fake_message_t *this, payload_type_t type)
{
	assert_int_equal(type, PLV2_CONFIGURATION);
	return this->payload;
}

fake_message_t *fake_message_create(bool request, config_type_t type, const char *attributes)
{
	enumerator_t *enumerator;
	fake_message_t *this;
	cp_payload_t *cp;
	char *attribute;
	chunk_t value;

	cp = cp_payload_create_type(PLV2_CONFIGURATION, type);
	enumerator = enumerator_create_token(attributes, " ", "");
	while (enumerator->enumerate(enumerator, &attribute))
	{
		value = chunk_from_hex(chunk_from_str(strchr(attribute, ':') + 1), NULL);
		cp->add_attribute(cp, configuration_attribute_create_chunk(
							PLV2_CONFIGURATION_ATTRIBUTE, atoi(attribute), value));
		chunk_free(&value);
	}
	enumerator->destroy(enumerator);
	INIT(this,
		.public = {
			.get_request = _get_request,
			.get_exchange_type = _get_exchange_type,
			.get_payload = _get_payload,
		},
		.request = request,
		.payload = (payload_t*)cp,
	);
	return this;
}

void fake_message_destroy(fake_message_t *this)
{
	this->payload->destroy(this->payload);
	free(this);
}
