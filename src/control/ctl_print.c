/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>

#include "control/ctl_internal.h"

#define SHARDS_SHOWN 8 /* with more of them only their sum is told */

static const char *print_string(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(item) ? item->valuestring : "-";
}

static double print_number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

/* Counters */

/* What a column of the table is about: the first thing that its object says. */
static void print_heading(struct table *table, const cJSON *object)
{
	const cJSON *first = object->child;

	if (cJSON_IsString(first))
		table_add(table, "%s", first->valuestring);
	else if (cJSON_IsNumber(first))
		table_add(table, "%s %.0f", first->string, first->valuedouble);
	else
		table_add(table, "-");
}

static void print_row(struct table *table, const cJSON *objects,
		      const char *key, bool each)
{
	const cJSON *object;
	double sum = 0;

	cJSON_ArrayForEach(object, objects) sum += print_number(object, key);
	table_add(table, "%s", key);
	table_add(table, "%.0f", sum);
	if (!each)
		return;
	cJSON_ArrayForEach(object, objects)
		table_add(table, "%.0f", print_number(object, key));
}

/* Objects with the same members: a row for each member. */
static void print_objects(const char *name, const cJSON *objects, FILE *out)
{
	bool each = cJSON_GetArraySize(objects) <= SHARDS_SHOWN;
	struct table table = { .columns = 2, .left = 1 };
	const cJSON *object;

	if (!cJSON_IsObject(objects->child) || !objects->child->child)
		return;
	table_add(&table, "%s", name);
	table_add(&table, "total");
	if (each)
		cJSON_ArrayForEach(object, objects)
		{
			table.columns++;
			print_heading(&table, object);
		}
	cJSON_ArrayForEach(
		object, objects->child) if (object != objects->child->child &&
					    cJSON_IsNumber(object))
		print_row(&table, objects, object->string, each);
	table_print(&table, out);
}

void ctl_print_stats(const cJSON *value, FILE *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, value)
	{
		if (cJSON_IsString(item))
			fprintf(out, "%s  %s\n", item->string,
				item->valuestring);
		else if (cJSON_IsNumber(item))
			fprintf(out, "%s  %.0f\n", item->string,
				item->valuedouble);
		else if (cJSON_IsArray(item))
			print_objects(item->string, item, out);
		else if (cJSON_IsObject(item))
			ctl_print_stats(item, out);
	}
}

void ctl_print_done(const cJSON *value, FILE *out)
{
	(void)value;
	(void)out;
}

void ctl_print_forward(const cJSON *value, FILE *out)
{
	fprintf(out, "%.0f  %s\n", print_number(value, "id"),
		print_string(value, "forward"));
}

void ctl_print_forwards(const cJSON *value, FILE *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(value, "forwards");
	const cJSON *forward;

	cJSON_ArrayForEach(forward, list) ctl_print_forward(forward, out);
}

void ctl_print_policy(const cJSON *value, FILE *out)
{
	fprintf(out, "%s\n", print_string(value, "policy"));
}

/* Flows */

static void print_bytes(struct table *table, double bytes)
{
	static const char units[] = "KMGTPE";
	int unit = -1;

	for (; bytes >= 1024 && units[unit + 1]; bytes /= 1024)
		unit++;
	if (unit < 0)
		table_add(table, "%.0f", bytes);
	else
		table_add(table, "%.1f %c", bytes, units[unit]);
}

static void print_duration(struct table *table, double ms)
{
	uint64_t s = (uint64_t)(ms / 1000);

	if (ms < 60000)
		table_add(table, "%.1f s", ms / 1000);
	else
		table_add(table, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
			  s / 3600, s / 60 % 60, s % 60);
}

static void print_rtt(struct table *table, double us)
{
	if (us > 0)
		table_add(table, "%.3f ms", us / 1000);
	else
		table_add(table, "-");
}

static void print_flow(struct table *table, const cJSON *flow)
{
	table_add(table, "%s", print_string(flow, "protocol"));
	table_add(table, "%s", print_string(flow, "guest"));
	table_add(table, "%s", print_string(flow, "peer"));
	table_add(table, "%.0f", print_number(flow, "shard"));
	table_add(table, "%s", print_string(flow, "state"));
	print_bytes(table, print_number(flow, "tx_bytes"));
	print_bytes(table, print_number(flow, "rx_bytes"));
	print_rtt(table, print_number(flow, "rtt_us"));
	print_duration(table, print_number(flow, "age_ms"));
	print_duration(table, print_number(flow, "idle_ms"));
}

void ctl_print_flows(const cJSON *value, FILE *out)
{
	static const char *const heading[] = {
		"PROTO", "GUEST",    "PEER", "SHARD", "STATE",
		"SENT",  "RECEIVED", "RTT",  "AGE",   "IDLE",
	};
	const cJSON *flows = cJSON_GetObjectItemCaseSensitive(value, "flows");
	const unsigned int columns = sizeof(heading) / sizeof(*heading);
	struct table table = { .columns = columns, .left = 0x17 };
	const cJSON *flow;

	_Static_assert(sizeof(heading) / sizeof(*heading) <= TABLE_COLUMNS_MAX,
		       "a flow fits a row");
	for (unsigned int i = 0; i < columns; i++)
		table_add(&table, "%s", heading[i]);
	cJSON_ArrayForEach(flow, flows) print_flow(&table, flow);
	table_print(&table, out);
}
