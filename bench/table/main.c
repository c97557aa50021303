/* SPDX-License-Identifier: BSD-3-Clause */
/* table_bench: what the flow table costs when it is full, as JSON. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "slirp/flow.h"
#include "table.h"

#define FLOWS  (1U << 20)
#define SHARDS 4

static const char *const phase_name[TABLE_PHASES] = {
	[TABLE_CREATE] = "create",     [TABLE_PRIVATE] = "private_hit",
	[TABLE_SHARED] = "shared_hit", [TABLE_MISS] = "miss",
	[TABLE_REMOVE] = "remove",
};

static void usage(FILE *out)
{
	fprintf(out,
		"usage: table_bench [--flows N] [--shards N] [--commit TEXT]\n"
		"Fills the NAT's flow table with N flows of all shards (%u), "
		"one thread\nfor each shard (%d), and writes what it costs.\n",
		FLOWS, SHARDS);
}

/* Return: 1 to @most, or 0 */
static uint32_t parse_count(const char *text, unsigned long most)
{
	char *end;
	unsigned long count;

	errno = 0;
	count = strtoul(text, &end, 10);
	return errno || *end || count > most ? 0 : (uint32_t)count;
}

/* /proc/cpuinfo: "model name	: ..." */
static void read_cpu(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (!value || strncmp(line, "model name", 10) != 0)
			continue;
		value[strcspn(value, "\n\"\\")] = '\0';
		snprintf(name, size, "%s", value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void print_machine(const char *commit)
{
	struct utsname system;
	char cpu[128];

	uname(&system);
	read_cpu(cpu, sizeof(cpu));
	printf("  \"cpu\": \"%s\",\n  \"kernel\": \"%s\",\n"
	       "  \"commit\": \"%s\",\n",
	       cpu, system.release, commit);
}

static void print_result(const struct table_load *load,
			 const struct table_result *result)
{
	double flows = (double)load->flows * load->shards;

	printf("  \"shards\": %u,\n  \"flows\": %.0f,\n", load->shards, flows);
	for (unsigned int phase = 0; phase < TABLE_PHASES; phase++)
		printf("  \"%s_ns\": %.0f,\n", phase_name[phase],
		       result->cost_ns[phase]);
	printf("  \"slot_bytes\": %d,\n  \"empty_bytes_per_flow\": %.1f,\n"
	       "  \"full_bytes_per_flow\": %.1f\n",
	       FLOW_SLOT_SIZE, (double)result->empty_bytes / flows,
	       (double)result->full_bytes / flows);
}

static int run(const struct table_load *load, const char *commit)
{
	struct table_result result;
	struct fail fail;

	if (table_run(load, &result, &fail)) {
		fprintf(stderr, "table_bench: %s\n", fail.text);
		return EXIT_FAILURE;
	}
	for (unsigned int phase = 0; phase < TABLE_PHASES; phase++)
		if (result.done[phase] !=
		    (uint64_t)load->flows * load->shards) {
			fprintf(stderr, "table_bench: %s went wrong\n",
				phase_name[phase]);
			return EXIT_FAILURE;
		}
	printf("{\n");
	print_machine(commit);
	print_result(load, &result);
	printf("}\n");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "flows", required_argument, NULL, 'f' },
		{ "shards", required_argument, NULL, 's' },
		{ "commit", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct table_load load = { .shards = SHARDS };
	const char *commit = "unknown";
	uint32_t flows = FLOWS;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			flows = parse_count(optarg, 1UL << 24);
		else if (option == 's')
			load.shards = parse_count(optarg, TABLE_SHARDS_MAX);
		else if (option == 'c')
			commit = optarg;
		else
			flows = 0;
	}
	if (optind != argc || !load.shards || flows < load.shards) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	load.flows = flows / load.shards;
	return run(&load, commit);
}
