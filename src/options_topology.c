/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "options.h"
#include "options_place.h"
#include "options_text.h"
#include "options_walk.h"
#include "virtio/net.h"

static const char topology_help[] =
	"Usage: mqvmm topology [OPTION]...\n"
	"\n"
	"Draws this host's nodes, caches, cores and CPUs, and where mqvmm run\n"
	"would put a guest's virtual CPUs and shards.\n"
	"\n"
	"  --cpus N          virtual CPUs of the guest (without a guest: the host\n"
	"                    alone)\n"
	"  --memory SIZE     its memory (512M)\n"
	"  --queues N        its queue pairs, each with a shard (one per CPU)\n"
	"  --place WORDS, --numa CELL\n"
	"                    as mqvmm run has them\n"
	"  --from DIR        folder with another host's /sys and /proc\n"
	"  --json            for programs\n"
	"  --dot             for Graphviz: mqvmm topology --dot | dot -Tsvg\n"
	"  --help            print this\n";

const char *options_topology_help(void)
{
	return topology_help;
}

static int parse_queues(const char *text, struct topology_config *config,
			struct fail *fail)
{
	uint64_t count;

	if (options_number(text, 1, VIRTIO_NET_PAIRS_MAX, &count))
		return fail_set(fail, -EINVAL,
				"--queues %s is not possible: give a number "
				"from 1 to %d",
				text, VIRTIO_NET_PAIRS_MAX);
	config->queues = (unsigned int)count;
	return 0;
}

enum topology_option {
	TOPOLOGY_OPTION_CPUS = 1,
	TOPOLOGY_OPTION_MEMORY,
	TOPOLOGY_OPTION_QUEUES,
	TOPOLOGY_OPTION_PLACE,
	TOPOLOGY_OPTION_NUMA,
	TOPOLOGY_OPTION_FROM,
	TOPOLOGY_OPTION_JSON,
	TOPOLOGY_OPTION_DOT,
	TOPOLOGY_OPTION_HELP,
};

static const struct option topology_options[] = {
	{ "cpus", required_argument, NULL, TOPOLOGY_OPTION_CPUS },
	{ "memory", required_argument, NULL, TOPOLOGY_OPTION_MEMORY },
	{ "queues", required_argument, NULL, TOPOLOGY_OPTION_QUEUES },
	{ "place", required_argument, NULL, TOPOLOGY_OPTION_PLACE },
	{ "numa", required_argument, NULL, TOPOLOGY_OPTION_NUMA },
	{ "from", required_argument, NULL, TOPOLOGY_OPTION_FROM },
	{ "json", no_argument, NULL, TOPOLOGY_OPTION_JSON },
	{ "dot", no_argument, NULL, TOPOLOGY_OPTION_DOT },
	{ "help", no_argument, NULL, TOPOLOGY_OPTION_HELP },
	{ 0 },
};

/* What is about the guest; the same as mqvmm run's */
static int guest_option(enum topology_option option, const char *value,
			struct topology_config *config, struct fail *fail)
{
	config->guest = true;
	switch (option) {
	case TOPOLOGY_OPTION_CPUS:
		return options_parse_cpus(value, &config->machine.topology,
					  fail);
	case TOPOLOGY_OPTION_MEMORY:
		return options_parse_memory(value, &config->machine, fail);
	case TOPOLOGY_OPTION_QUEUES:
		return parse_queues(value, config, fail);
	case TOPOLOGY_OPTION_PLACE:
		return options_place(value, &config->place, fail);
	case TOPOLOGY_OPTION_NUMA:
		return options_numa(value, &config->place, fail);
	default:
		return -EINVAL;
	}
}

static int topology_option(int option, const char *value, void *context,
			   struct fail *fail)
{
	struct topology_config *config = context;

	switch ((enum topology_option)option) {
	case TOPOLOGY_OPTION_FROM:
		config->from = value;
		return 0;
	case TOPOLOGY_OPTION_JSON:
		config->format = TOPOLOGY_JSON;
		return 0;
	case TOPOLOGY_OPTION_DOT:
		config->format = TOPOLOGY_DOT;
		return 0;
	case TOPOLOGY_OPTION_HELP:
		return 1;
	default:
		return guest_option(option, value, config, fail);
	}
}

int options_parse_topology(int argc, char **argv,
			   struct topology_config *config, struct fail *fail)
{
	int ret;

	memset(config, 0, sizeof(*config));
	config->from = "";
	placement_request_init(&config->place);
	config->machine.topology = (struct machine_topology) { 1, 1, 1, 1 };
	config->machine.memory_size = OPTIONS_MEMORY_DEFAULT;
	ret = options_walk(argc, argv, "topology", topology_options,
			   topology_option, config, fail);
	if (ret)
		return ret;
	if (optind < argc)
		return fail_set(fail, -EINVAL,
				"'%s' is not an option: see mqvmm topology "
				"--help",
				argv[optind]);
	if (!config->queues)
		config->queues = config->machine.topology.cpus;
	options_complete_place(&config->machine, config->queues,
			       &config->place);
	return 0;
}
