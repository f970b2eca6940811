#include "fake_ike.h"
#include "encdns_connections.h"

#include <stdio.h>
#include <encoding/payloads/cp_payload.h>

#define REPLY "1:0a140901 27:0001 25:61 26:01 25:62 3:0a140035 28:ff"
#define OURS "27:0001 25:61 26:01 25:62 3:0a140035 28:ff"

/**
 * A connection of the test: what is told, and how often.
 */
typedef struct {
	encdns_connections_t *connections;
	listener_t *listener;
	encdns_config_t *config;
	int changes;
} fixture_t;

static void on_changed(void *data)
{
	fixture_t *this = data;

	this->changes++;
}

static int setup(void **state)
{
	encdns_report_t *report = encdns_report_create();
	fixture_t *this;

	INIT(this,
		.config = encdns_config_load(write_file("swanctl.conf",
								"encrypted-dns {\n laptop {\n internal-enc-dns = 16400\n }\n}\n"), report),
	);
	report->destroy(report);
	this->connections = encdns_connections_create(on_changed, this);
	this->listener = &this->connections->listener;
	*state = this;
	return this->config ? 0 : -1;
}

static int teardown(void **state)
{
	fixture_t *this = *state;

	this->connections->destroy(this->connections);
	this->config->destroy(this->config);
	free(this);
	return 0;
}

/**
 * What is desired: "up 27:... 25:...", "lost", "orderly", or nothing.
 */
static void assert_wish(fixture_t *this, const char *expected)
{
	linked_list_t *wishes = this->connections->get_wishes(this->connections);
	encdns_wish_t *wish;
	char text[1024] = "", *attributes;

	if (wishes->get_first(wishes, (void**)&wish) == SUCCESS)
	{
		assert_int_equal(wishes->get_count(wishes), 1);
		assert_string_equal(wish->connection, "corp");
		if (wish->state)
		{
			attributes = text_of(wish->state->attributes);
			snprintf(text, sizeof(text), "up %s", attributes);
			free(attributes);
		}
		else
		{
			snprintf(text, sizeof(text), "%s", wish->lost ? "lost" : "orderly");
		}
	}
	encdns_wishes_destroy(wishes);
	assert_string_equal(text, expected);
}

static void ask(fixture_t *this, fake_ike_t *ike)
{
	encdns_laptop_t *laptop = this->config->get_laptop(this->config, ike->name, TRUE);

	this->connections->ask(this->connections, &ike->public, this->config, laptop);
}

static void receive(fixture_t *this, fake_ike_t *ike, const char *attributes)
{
	fake_message_t *message = fake_message_create(FALSE, CFG_REPLY, attributes);

	assert_true(this->listener->message(this->listener, &ike->public, &message->public,
										TRUE, TRUE));
	fake_message_destroy(message);
}

/**
 * The whole way up; to be destroyed with fake_ike_destroy().
 */
static fake_ike_t *connect_up(fixture_t *this, uint32_t id, const char *attributes, fake_child_t *child)
{
	fake_ike_t *ike = fake_ike_create(id, "corp", "10.20.9.1");

	ask(this, ike);
	receive(this, ike, attributes);
	this->listener->handle_vips(this->listener, &ike->public, TRUE);
	ike->children->insert_last(ike->children, child);
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	return ike;
}

static void change_state(fixture_t *this, fake_ike_t *ike, ike_sa_state_t state)
{
	this->listener->ike_state_change(this->listener, &ike->public, state);
	ike->state = state;
}

/**
 * What nobody wants to be called with, as the hook takes a va_list.
 */
static void alert(fixture_t *this, fake_ike_t *ike, alert_t alert, ...)
{
	va_list args;

	va_start(args, alert);
	this->listener->alert(this->listener, ike ? &ike->public : NULL, alert, args);
	va_end(args);
}

static void test_committed_when_it_may_be(void **state)
{
	fixture_t *this = *state;
	fake_ike_t *ike = fake_ike_create(7, "corp", "10.20.9.1");
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");

	assert_false(this->connections->has_asked(this->connections, &ike->public, 27));
	ask(this, ike);
	assert_true(this->connections->has_asked(this->connections, &ike->public, 27));
	receive(this, ike, REPLY);
	/* not authenticated: a CHILD_SA would make no difference */
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	assert_wish(this, "orderly");
	this->listener->handle_vips(this->listener, &ike->public, TRUE);
	assert_wish(this, "orderly");
	assert_int_equal(this->changes, 0);
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	assert_wish(this, "up " OURS);
	assert_int_equal(this->changes, 1);
	/* what comes later is not part of it */
	receive(this, ike, "27:0002");
	assert_wish(this, "up " OURS);
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

/* I32: the number that the configuration gives it, and no other */
static void test_internal_enc_dns(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, "16400:01 16401:01 27:0001", child);

	assert_wish(this, "up 16400:01 27:0001");
	assert_true(this->connections->has_asked(this->connections, &ike->public, 16400));
	assert_false(this->connections->has_asked(this->connections, &ike->public, 16401));
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

static void test_last_round_counts(void **state)
{
	fixture_t *this = *state;
	fake_ike_t *ike = fake_ike_create(7, "corp", "10.20.9.1");
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");

	ask(this, ike);
	receive(this, ike, "27:dead");
	receive(this, ike, "27:0001");
	this->listener->handle_vips(this->listener, &ike->public, TRUE);
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	assert_wish(this, "up 27:0001");
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

static void test_who_has_not_asked_gets_nothing(void **state)
{
	fixture_t *this = *state;
	fake_ike_t *ike = fake_ike_create(7, "corp", "10.20.9.1");
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");

	receive(this, ike, REPLY);
	this->listener->handle_vips(this->listener, &ike->public, TRUE);
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	assert_wish(this, "");
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

static void test_orderly_end(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, REPLY, child);

	change_state(this, ike, IKE_DELETING);
	assert_wish(this, "up " OURS);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "orderly");
	assert_false(this->connections->has_asked(this->connections, &ike->public, 27));
	fake_ike_destroy(ike);

	/* by force, while another exchange is under way */
	ike = connect_up(this, 8, REPLY, child);
	fake_ike_queue_delete(ike);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "orderly");
	fake_ike_destroy(ike);

	/* a peer that does not answer the delete makes no difference */
	ike = connect_up(this, 9, REPLY, child);
	change_state(this, ike, IKE_DELETING);
	alert(this, ike, ALERT_RETRANSMIT_SEND_TIMEOUT);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "orderly");
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

static void test_lost(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, REPLY, child), *new;

	alert(this, ike, ALERT_RETRANSMIT_SEND_TIMEOUT);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "lost");
	fake_ike_destroy(ike);

	/* nobody wanted it, nobody knows why */
	ike = connect_up(this, 8, REPLY, child);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "lost");
	fake_ike_destroy(ike);

	/* deleted by the peer, but to be reestablished */
	ike = connect_up(this, 9, REPLY, child);
	new = fake_ike_create(10, "corp", "");
	change_state(this, ike, IKE_DELETING);
	this->listener->ike_reestablish_pre(this->listener, &ike->public, &new->public);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "lost");
	fake_ike_destroy(ike);

	/* the new one never gets there */
	ask(this, new);
	change_state(this, new, IKE_DESTROYING);
	assert_wish(this, "lost");
	fake_ike_destroy(new);
	fake_child_destroy(child);
}

static void test_daemon_that_ends(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, REPLY, child);

	alert(this, NULL, ALERT_SHUTDOWN_SIGNAL);
	change_state(this, ike, IKE_DELETING);
	change_state(this, ike, IKE_DESTROYING);
	assert_wish(this, "lost");
	fake_ike_destroy(ike);
	fake_child_destroy(child);
}

static void test_rekeying_moves(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *old = connect_up(this, 7, REPLY, child);
	fake_ike_t *new = fake_ike_create(8, "corp", "10.20.9.1");

	this->listener->ike_rekey(this->listener, &old->public, &new->public);
	change_state(this, old, IKE_DELETING);
	change_state(this, old, IKE_DESTROYING);
	assert_wish(this, "up " OURS);
	assert_int_equal(this->changes, 1);
	change_state(this, new, IKE_DELETING);
	change_state(this, new, IKE_DESTROYING);
	assert_wish(this, "orderly");
	fake_ike_destroy(old);
	fake_ike_destroy(new);
	fake_child_destroy(child);
}

static void test_reauthentication_overlaps(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *old = connect_up(this, 7, "27:0001", child);
	fake_ike_t *new = connect_up(this, 8, "27:0002", child);

	assert_wish(this, "up 27:0002");
	change_state(this, old, IKE_DELETING);
	change_state(this, old, IKE_DESTROYING);
	assert_wish(this, "up 27:0002");
	assert_int_equal(this->changes, 2);
	fake_ike_destroy(old);

	/* and the other way round: the new one fails, the old one stays */
	old = new;
	new = fake_ike_create(9, "corp", "10.20.9.1");
	ask(this, new);
	change_state(this, new, IKE_DESTROYING);
	assert_wish(this, "up 27:0002");
	fake_ike_destroy(old);
	fake_ike_destroy(new);
	fake_child_destroy(child);
}

/**
 * Number of ranges that are desired.
 */
static u_int count_ranges(fixture_t *this)
{
	linked_list_t *wishes = this->connections->get_wishes(this->connections);
	encdns_wish_t *wish;
	u_int count;

	assert_int_equal(wishes->get_first(wishes, (void**)&wish), SUCCESS);
	assert_non_null(wish->state);
	count = wish->state->ranges->get_count(wish->state->ranges);
	encdns_wishes_destroy(wishes);
	return count;
}

static void test_children_come_and_go(void **state)
{
	fixture_t *this = *state;
	fake_child_t *a = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_child_t *b = fake_child_create("10.20.9.1/32", "10.30.0.0/24, 10.40.0.0/24");
	fake_child_t *again = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, REPLY, a);

	assert_int_equal(count_ranges(this), 1);
	ike->children->insert_last(ike->children, b);
	this->listener->child_updown(this->listener, &ike->public, &b->public, TRUE);
	assert_int_equal(count_ranges(this), 3);
	this->listener->child_updown(this->listener, &ike->public, &b->public, FALSE);
	ike->children->remove(ike->children, b, NULL);
	assert_int_equal(count_ranges(this), 1);
	assert_int_equal(this->changes, 3);

	/* rekeyed with the same selectors, nothing has changed */
	ike->children->insert_last(ike->children, again);
	this->listener->child_rekey(this->listener, &ike->public, &a->public, &again->public);
	ike->children->remove(ike->children, a, NULL);
	assert_int_equal(count_ranges(this), 1);
	assert_int_equal(this->changes, 3);

	/* without any CHILD_SA it is up still, but nothing is reached through it */
	this->listener->child_updown(this->listener, &ike->public, &again->public, FALSE);
	assert_int_equal(count_ranges(this), 0);
	fake_child_destroy(a);
	fake_child_destroy(b);
	fake_child_destroy(again);
	fake_ike_destroy(ike);
}

/* I29 */
static void test_anonymous(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_ike_t *ike = fake_ike_create(7, "corp", "10.20.9.1");
	linked_list_t *wishes;
	encdns_wish_t *wish;
	chunk_t id = chunk_empty;

	ike->other->destroy(ike->other);
	ike->other = identification_create_from_encoding(13, id);
	ask(this, ike);
	receive(this, ike, REPLY);
	this->listener->handle_vips(this->listener, &ike->public, TRUE);
	this->listener->child_updown(this->listener, &ike->public, &child->public, TRUE);
	wishes = this->connections->get_wishes(this->connections);
	assert_int_equal(wishes->get_first(wishes, (void**)&wish), SUCCESS);
	assert_true(wish->state->anonymous);
	encdns_wishes_destroy(wishes);
	fake_child_destroy(child);
	fake_ike_destroy(ike);
}

/**
 * Where it was found is known, in clones of the state too.
 */
static void test_gateway_hosts(void **state)
{
	fixture_t *this = *state;
	fake_child_t *child = fake_child_create("10.20.9.1/32", "10.20.0.0/24");
	fake_child_t *later = fake_child_create("10.20.9.1/32", "10.21.0.0/24");
	fake_ike_t *ike = connect_up(this, 7, REPLY, child);
	linked_list_t *wishes;
	encdns_wish_t *wish;
	char *name;

	encdns_wishes_destroy(this->connections->get_wishes(this->connections));
	ike->children->insert_last(ike->children, later);
	this->listener->child_updown(this->listener, &ike->public, &later->public, TRUE);
	wishes = this->connections->get_wishes(this->connections);
	assert_int_equal(wishes->get_first(wishes, (void**)&wish), SUCCESS);
	assert_int_equal(wish->state->gateway_names->get_count(wish->state->gateway_names), 2);
	wish->state->gateway_names->get_first(wish->state->gateway_names, (void**)&name);
	assert_string_equal(name, "vpn.corp.test");
	assert_true(wish->state->gateway_address->ip_equals(wish->state->gateway_address,
														ike->other_host));
	encdns_wishes_destroy(wishes);
	fake_child_destroy(child);
	fake_child_destroy(later);
	fake_ike_destroy(ike);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_committed_when_it_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_internal_enc_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_round_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_has_not_asked_gets_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_orderly_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_daemon_that_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rekeying_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reauthentication_overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_children_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_anonymous, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gateway_hosts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, start_strongswan, stop_strongswan);
}
