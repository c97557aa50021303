/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control socket tells of flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/control_rig.h"

#define PORT_FIRST 4000

static cJSON *list(const struct rig *rig)
{
	int sock = rig_connect(rig);
	cJSON *reply = rig_ask(sock, "{\"execute\":\"flows\"}");
	cJSON *value = cJSON_GetObjectItem(reply, "return");
	cJSON *flows = cJSON_DetachItemFromObject(value, "flows");

	assert_true(cJSON_IsArray(flows));
	cJSON_Delete(reply);
	close(sock);
	return flows;
}

static const char *text_of(const cJSON *flow, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(flow, key);

	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static int number_of(const cJSON *flow, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(flow, key);

	assert_true(cJSON_IsNumber(item));
	return (int)item->valuedouble;
}

static void there_are_none_at_first(void **state)
{
	cJSON *flows = list(*state);

	assert_int_equal(cJSON_GetArraySize(flows), 0);
	cJSON_Delete(flows);
}

static void a_mapping_is_listed_with_its_owner(void **state)
{
	const cJSON *flow;
	cJSON *flows;

	rig_datagram(*state, 1, PORT_FIRST, 4);
	flows = list(*state);
	assert_int_equal(cJSON_GetArraySize(flows), 1);
	flow = cJSON_GetArrayItem(flows, 0);
	assert_string_equal(text_of(flow, "protocol"), "udp");
	assert_string_equal(text_of(flow, "guest"), "10.0.2.15:4000");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(flow, "peer")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(flow, "rtt_us")));
	assert_string_equal(text_of(flow, "state"), "mapping");
	assert_int_equal(number_of(flow, "shard"), 1);
	assert_true(number_of(flow, "age_ms") >= number_of(flow, "idle_ms"));
	cJSON_Delete(flows);
}

static void payload_is_counted_each_way(void **state)
{
	const cJSON *flow;
	cJSON *flows;

	rig_datagram(*state, 0, PORT_FIRST, 100);
	rig_datagram(*state, 0, PORT_FIRST, 20);
	rig_answer(*state, 0, 1000);
	flows = list(*state);
	flow = cJSON_GetArrayItem(flows, 0);
	assert_int_equal(number_of(flow, "tx_bytes"), 120);
	assert_int_equal(number_of(flow, "rx_bytes"), 1000);
	cJSON_Delete(flows);
}

/* More than fit one part of a reply, or one slice of a shard. */
static void all_are_listed_once(void **state)
{
	enum { COUNT = 900 };
	bool seen[COUNT] = { false };
	const cJSON *flow;
	cJSON *flows;

	for (unsigned int i = 0; i < COUNT; i++)
		rig_datagram(*state, i % 3 == 0, (uint16_t)(PORT_FIRST + i), 1);
	flows = list(*state);
	assert_int_equal(cJSON_GetArraySize(flows), COUNT);
	cJSON_ArrayForEach(flow, flows)
	{
		const char *guest = text_of(flow, "guest");
		int port = atoi(strrchr(guest, ':') + 1) - PORT_FIRST;

		assert_in_range(port, 0, COUNT - 1);
		assert_false(seen[port]);
		assert_int_equal(number_of(flow, "shard"), port % 3 == 0);
		seen[port] = true;
	}
	cJSON_Delete(flows);
}

static void without_a_network_there_is_no_list(void **state)
{
	struct rig *rig = *state;
	struct slirp *slirp = rig->slirp;
	struct fail fail = { 0 };
	char *text;
	int sock;

	control_stop(rig->control);
	rig->slirp = NULL;
	assert_int_equal(rig_start(rig, rig->path, &rig->control, &fail), 0);
	rig->slirp = slirp;
	sock = rig_connect(rig);
	text = rig_refusal(sock, "{\"execute\":\"flows\"}");
	assert_string_equal(text, "there is no network");
	free(text);
	close(sock);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_are_none_at_first),
		TEST(a_mapping_is_listed_with_its_owner),
		TEST(payload_is_counted_each_way),
		TEST(all_are_listed_once),
		TEST(without_a_network_there_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
