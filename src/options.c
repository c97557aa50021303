/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options_place.h"
#include "options_text.h"
#include "options_walk.h"

#define VCPUS_MAX         1024
#define MEMORY_MIN        (32ULL << 20) /* bytes */
#define MEMORY_GRANULE    (2ULL << 20)
#define MEMORY_GRANULE_1G (1ULL << 30)

static const char run_help[] =
	"Usage: mqvmm run --kernel FILE [OPTION]...\n"
	"\n"
	"Runs a Linux guest with one network path for each of its CPUs.\n"
	"\n"
	"  --kernel FILE     bzImage, or ELF vmlinux with a PVH note\n"
	"  --initrd FILE     initial RAM disk\n"
	"  --append STRING   kernel command line (console=ttyS0)\n"
	"  --cpus N[,sockets=S][,cores=C][,threads=T]\n"
	"                    virtual CPUs, 1 to 1024 (1)\n"
	"  --memory SIZE[,hugepages=on|2M|1G][,prefault=on]\n"
	"                    guest memory, K, M, G, T; MiB without (512M)\n"
	"  --net OPTIONS     network, or none (one queue pair per CPU)\n"
	"  --serial stdio|none|FILE\n"
	"                    where the console goes (stdio; Ctrl-A X leaves)\n"
	"  --place auto|compact|spread|numa|none[,vcpuN=CPU][,shardN=CPU]\n"
	"                  [,helpers=CPUS][,registry=off]\n"
	"                    CPUs of virtual CPUs and shards (auto)\n"
	"  --numa cpus=LIST,memory=SIZE[,host-nodes=LIST]\n"
	"                    a NUMA node of the guest; once for each\n"
	"  --no-reboot       end when the guest reboots\n"
	"  --stats FILE      write counters as JSON at the end and on SIGUSR1\n"
	"  --control SOCKET  make a socket for mqvmm ctl\n"
	"  --help            print this\n"
	"\n"
	"Exit status: 0 the guest was switched off or mqvmm was stopped;\n"
	"1 mqvmm failed; 2 wrong input; 3 reboot with --no-reboot; 4 the guest\n"
	"reported a panic; 5 triple fault.\n";

const char *options_run_help(void)
{
	return run_help;
}

static int cpus_set(struct machine_topology *topology,
		    const struct options_pair *pair)
{
	uint64_t value;
	unsigned int count;

	if (!pair->value || options_number(pair->value, 1, VCPUS_MAX, &value))
		return -EINVAL;
	count = (unsigned int)value;
	if (strcmp(pair->key, "sockets") == 0)
		topology->sockets = count;
	else if (strcmp(pair->key, "cores") == 0)
		topology->cores = count;
	else if (strcmp(pair->key, "threads") == 0)
		topology->threads = count;
	else
		return -EINVAL;
	return 0;
}

/* What is not given follows: one thread a core, one socket. */
static bool cpus_complete(struct machine_topology *topology)
{
	uint64_t known;

	if (!topology->threads)
		topology->threads = 1;
	if (!topology->cores) {
		known = (uint64_t)topology->threads *
			(topology->sockets ? topology->sockets : 1);
		topology->cores = (unsigned int)(topology->cpus / known);
	}
	if (!topology->sockets) {
		known = (uint64_t)topology->threads * topology->cores;
		topology->sockets =
			known ? (unsigned int)(topology->cpus / known) : 0;
	}
	return (uint64_t)topology->sockets * topology->cores *
		       topology->threads ==
	       topology->cpus;
}

int options_parse_cpus(const char *text, struct machine_topology *topology,
		       struct fail *fail)
{
	char copy[OPTIONS_TEXT_MAX] = "", *rest = copy;
	struct options_pair pair;
	uint64_t cpus = 0;
	bool good;

	strncpy(copy, text, sizeof(copy) - 1);
	memset(topology, 0, sizeof(*topology));
	good = strlen(text) < sizeof(copy) && options_next_pair(&rest, &pair) &&
	       !pair.value && !options_number(pair.key, 1, VCPUS_MAX, &cpus);
	topology->cpus = (unsigned int)cpus;
	while (good && options_next_pair(&rest, &pair))
		good = !cpus_set(topology, &pair);
	if (!good)
		return fail_set(fail, -EINVAL,
				"--cpus %s is not possible: give 1 to %d, with "
				"sockets=, cores= and threads= if you like",
				text, VCPUS_MAX);
	if (!cpus_complete(topology))
		return fail_set(fail, -EINVAL,
				"--cpus %s is not possible: sockets * cores * "
				"threads must be the number of CPUs",
				text);
	return 0;
}

static int memory_set(struct machine_config *machine,
		      const struct options_pair *pair)
{
	const char *value = pair->value ? pair->value : "";

	if (strcmp(pair->key, "prefault") == 0)
		return options_switch(value, &machine->prefault);
	if (strcmp(pair->key, "hugepages") != 0)
		return -EINVAL;
	if (strcmp(value, "on") == 0 || strcmp(value, "2M") == 0)
		machine->pages = MACHINE_PAGES_2M;
	else if (strcmp(value, "1G") == 0)
		machine->pages = MACHINE_PAGES_1G;
	else if (strcmp(value, "off") == 0)
		machine->pages = MACHINE_PAGES_DEFAULT;
	else
		return -EINVAL;
	return 0;
}

static uint64_t memory_granule(enum machine_pages pages)
{
	return pages == MACHINE_PAGES_1G ? MEMORY_GRANULE_1G : MEMORY_GRANULE;
}

int options_parse_memory(const char *text, struct machine_config *machine,
			 struct fail *fail)
{
	char copy[OPTIONS_TEXT_MAX] = "", *rest = copy;
	uint64_t granule, size = 0;
	struct options_pair pair;
	bool good;

	strncpy(copy, text, sizeof(copy) - 1);
	good = strlen(text) < sizeof(copy) && options_next_pair(&rest, &pair) &&
	       !pair.value && !options_size(pair.key, &size);
	while (good && options_next_pair(&rest, &pair))
		good = !memory_set(machine, &pair);
	if (!good)
		return fail_set(fail, -EINVAL,
				"--memory %s is not possible: give a size like "
				"512M or 4G, with hugepages=on|2M|1G and "
				"prefault=on if you like",
				text);
	granule = memory_granule(machine->pages);
	if (size < MEMORY_MIN || size % granule)
		return fail_set(fail, -EINVAL,
				"--memory %s is not possible: give a multiple "
				"of %llu MiB, at least 32M",
				text, (unsigned long long)granule >> 20);
	machine->memory_size = size;
	return 0;
}

void options_complete_place(const struct machine_config *machine,
			    unsigned int shards,
			    struct placement_request *place)
{
	place->vcpus = machine->topology.cpus;
	place->threads = machine->topology.threads;
	place->shards = shards;
	place->memory_bytes = machine->memory_size;
	place->granule_bytes = memory_granule(machine->pages);
}

static int parse_serial(const char *text, struct vmm_config *config)
{
	struct machine_config *machine = &config->machine;

	machine->serial_path = NULL;
	if (strcmp(text, "stdio") == 0) {
		machine->serial = MACHINE_SERIAL_STDIO;
	} else if (strcmp(text, "none") == 0) {
		machine->serial = MACHINE_SERIAL_NONE;
	} else {
		machine->serial = MACHINE_SERIAL_FILE;
		machine->serial_path = text;
	}
	return 0;
}

static int parse_net(const char *text, struct vmm_config *config,
		     struct fail *fail)
{
	config->net = strcmp(text, "none") != 0;
	return config->net ? options_parse_net(text, &config->slirp, fail) : 0;
}

enum run_option {
	RUN_KERNEL = 1,
	RUN_INITRD,
	RUN_APPEND,
	RUN_CPUS,
	RUN_MEMORY,
	RUN_NET,
	RUN_SERIAL,
	RUN_PLACE,
	RUN_NUMA,
	RUN_NO_REBOOT,
	RUN_STATS,
	RUN_CONTROL,
	RUN_HELP,
};

static const struct option run_options[] = {
	{ "kernel", required_argument, NULL, RUN_KERNEL },
	{ "initrd", required_argument, NULL, RUN_INITRD },
	{ "append", required_argument, NULL, RUN_APPEND },
	{ "cpus", required_argument, NULL, RUN_CPUS },
	{ "memory", required_argument, NULL, RUN_MEMORY },
	{ "net", required_argument, NULL, RUN_NET },
	{ "serial", required_argument, NULL, RUN_SERIAL },
	{ "place", required_argument, NULL, RUN_PLACE },
	{ "numa", required_argument, NULL, RUN_NUMA },
	{ "no-reboot", no_argument, NULL, RUN_NO_REBOOT },
	{ "stats", required_argument, NULL, RUN_STATS },
	{ "control", required_argument, NULL, RUN_CONTROL },
	{ "help", no_argument, NULL, RUN_HELP },
	{ 0 },
};

static int run_option(int option, const char *value, void *context,
		      struct fail *fail)
{
	struct vmm_config *config = context;

	switch ((enum run_option)option) {
	case RUN_KERNEL:
		config->machine.kernel = value;
		return 0;
	case RUN_INITRD:
		config->machine.initrd = value;
		return 0;
	case RUN_APPEND:
		config->machine.command_line = value;
		return 0;
	case RUN_CPUS:
		return options_parse_cpus(value, &config->machine.topology,
					  fail);
	case RUN_MEMORY:
		return options_parse_memory(value, &config->machine, fail);
	case RUN_NET:
		return parse_net(value, config, fail);
	case RUN_SERIAL:
		return parse_serial(value, config);
	case RUN_PLACE:
		return options_place(value, &config->place, fail);
	case RUN_NUMA:
		return options_numa(value, &config->place, fail);
	case RUN_NO_REBOOT:
		config->reboot = false;
		return 0;
	case RUN_STATS:
		config->stats = value;
		return 0;
	case RUN_CONTROL:
		config->control = value;
		return 0;
	case RUN_HELP:
		return 1;
	}
	return -EINVAL;
}

static void run_defaults(struct vmm_config *config)
{
	memset(config, 0, sizeof(*config));
	slirp_config_init(&config->slirp);
	config->machine.topology = (struct machine_topology) { 1, 1, 1, 1 };
	config->machine.memory_size = OPTIONS_MEMORY_DEFAULT;
	config->machine.command_line = "console=ttyS0";
	config->machine.serial = MACHINE_SERIAL_STDIO;
	config->slirp.shard_count = 0;
	config->net = true;
	placement_request_init(&config->place);
	config->reboot = true;
}

static int run_finish(int argc, char **argv, struct vmm_config *config,
		      struct fail *fail)
{
	if (optind < argc)
		return fail_set(fail, -EINVAL,
				"'%s' is not an option: see mqvmm run --help",
				argv[optind]);
	if (!config->machine.kernel)
		return fail_set(fail, -EINVAL,
				"there is no kernel to boot: give --kernel "
				"FILE");
	if (!config->slirp.shard_count)
		config->slirp.shard_count = config->machine.topology.cpus;
	options_complete_place(&config->machine,
			       config->net ? config->slirp.shard_count : 0,
			       &config->place);
	return 0;
}

int options_parse_run(int argc, char **argv, struct vmm_config *config,
		      struct fail *fail)
{
	int ret;

	run_defaults(config);
	ret = options_walk(argc, argv, "run", run_options, run_option, config,
			   fail);
	if (ret)
		return ret;
	return run_finish(argc, argv, config, fail);
}
