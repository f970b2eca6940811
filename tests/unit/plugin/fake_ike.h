/*
 * IKE_SAs, CHILD_SAs and messages that have no more of strongSwan's interfaces than the plugin calls.
 */
#ifndef FAKE_IKE_H_
#define FAKE_IKE_H_

#include "support.h"

typedef struct fake_child_t fake_child_t;
typedef struct fake_ike_t fake_ike_t;
typedef struct fake_message_t fake_message_t;

struct fake_child_t {
	child_sa_t public;
	child_sa_state_t state;
	linked_list_t *local;
	linked_list_t *remote;
};

struct fake_ike_t {
	ike_sa_t public;
	uint32_t id;
	char *name;
	ike_sa_state_t state;
	identification_t *other;
	host_t *other_host;
	ike_cfg_t config; /* knows its remote addresses alone */
	linked_list_t *vips;
	linked_list_t *children;
	linked_list_t *tasks;
};

struct fake_message_t {
	message_t public;
	bool request;
	payload_t *payload;
};

/** An installed CHILD_SA; selectors as strongSwan writes them, separated by commas: "10.20.0.0/24" */
fake_child_t *fake_child_create(const char *local, const char *remote);

/** The same with remote selectors for one port */
fake_child_t *fake_child_create_port(const char *local, const char *remote, uint16_t port);

/** Virtual IPs separated by commas */
fake_ike_t *fake_ike_create(uint32_t id, char *name, const char *vips);

/** Have a task to delete it queued */
void fake_ike_queue_delete(fake_ike_t *this);

/** An IKE_AUTH message with a CP payload of this type and attributes: "27:00 25:" */
fake_message_t *fake_message_create(bool request, config_type_t type, const char *attributes);

void fake_child_destroy(fake_child_t *this);
void fake_ike_destroy(fake_ike_t *this);
void fake_message_destroy(fake_message_t *this);

#endif /** FAKE_IKE_H_ */
