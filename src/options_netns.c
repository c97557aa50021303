/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>

#include "options.h"
#include "options_place.h"
#include "options_text.h"
#include "options_walk.h"

static const char netns_help[] =
	"Usage: mqvmm netns [OPTION]... [--] [COMMAND [ARGUMENT]...]\n"
	"\n"
	"Runs a command, or the user's shell, in a new user and network namespace\n"
	"whose network leads through the host's sockets; or serves a namespace\n"
	"that exists. The user is root in the namespace. No rights are needed,\n"
	"but access to /dev/net/tun.\n"
	"\n"
	"  --queues N        queues and shards, 1 to 256 (one for each CPU, 16\n"
	"                    at most)\n"
	"  --net OPTIONS     network\n"
	"  --netns PATH      serve this network namespace until SIGTERM, or while\n"
	"                    COMMAND runs in it; a path like /proc/PID/ns/net, or\n"
	"                    a name of ip netns; needs root\n"
	"  --interface NAME  of the interface in the namespace (eth0)\n"
	"  --place auto|compact|spread|none[,shardN=CPU][,registry=off]\n"
	"                    CPUs of shards (auto)\n"
	"  --stats FILE      write counters as JSON at the end and on SIGUSR1\n"
	"  --control SOCKET  make a socket for mqvmm ctl\n"
	"  --help            print this\n"
	"\n"
	"Exit status: that of COMMAND, or 128 + N when signal N ended it; 125\n"
	"mqvmm failed; 126 COMMAND cannot be run; 127 it was not found.\n";

const char *options_netns_help(void)
{
	return netns_help;
}

static int parse_queues(const char *text, struct netns_config *config,
			struct fail *fail)
{
	uint64_t count;

	if (options_number(text, 1, NETNS_QUEUES_MAX, &count))
		return fail_set(fail, -EINVAL,
				"--queues %s is not possible: give a number "
				"from 1 to %d",
				text, NETNS_QUEUES_MAX);
	config->slirp.shard_count = (unsigned int)count;
	return 0;
}

/* What the kernel takes as a name, and not as a pattern (netdevice(7)) */
static int parse_interface(const char *text, struct netns_config *config,
			   struct fail *fail)
{
	config->interface = text;
	if (*text && strlen(text) < IFNAMSIZ && !strpbrk(text, "/:% \t\n") &&
	    strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
	    strcmp(text, "lo") != 0)
		return 0;
	return fail_set(fail, -EINVAL,
			"--interface %s is not possible: give a name of 1 to "
			"%d characters, without '/', ':', '%%' and spaces",
			text, IFNAMSIZ - 1);
}

static int parse_path(const char *text, struct netns_config *config,
		      struct fail *fail)
{
	config->path = text;
	if (*text && strlen(text) < PATH_MAX - sizeof("/run/netns/"))
		return 0;
	return fail_set(fail, -EINVAL,
			"--netns %.64s is not possible: give a name of ip "
			"netns, or a path like /proc/PID/ns/net",
			text);
}

enum netns_option {
	NETNS_QUEUES = 1,
	NETNS_NET,
	NETNS_NETNS,
	NETNS_INTERFACE,
	NETNS_PLACE,
	NETNS_STATS,
	NETNS_CONTROL,
	NETNS_HELP,
};

static const struct option netns_options[] = {
	{ "queues", required_argument, NULL, NETNS_QUEUES },
	{ "net", required_argument, NULL, NETNS_NET },
	{ "netns", required_argument, NULL, NETNS_NETNS },
	{ "interface", required_argument, NULL, NETNS_INTERFACE },
	{ "place", required_argument, NULL, NETNS_PLACE },
	{ "stats", required_argument, NULL, NETNS_STATS },
	{ "control", required_argument, NULL, NETNS_CONTROL },
	{ "help", no_argument, NULL, NETNS_HELP },
	{ 0 },
};

static int netns_option(int option, const char *value, void *context,
			struct fail *fail)
{
	struct netns_config *config = context;

	switch ((enum netns_option)option) {
	case NETNS_QUEUES:
		return parse_queues(value, config, fail);
	case NETNS_NET:
		return options_parse_net(value, &config->slirp, fail);
	case NETNS_NETNS:
		return parse_path(value, config, fail);
	case NETNS_INTERFACE:
		return parse_interface(value, config, fail);
	case NETNS_PLACE:
		return options_place(value, &config->place, fail);
	case NETNS_STATS:
		config->stats = value;
		return 0;
	case NETNS_CONTROL:
		config->control = value;
		return 0;
	case NETNS_HELP:
		return 1;
	}
	return -EINVAL;
}

static void netns_defaults(struct netns_config *config)
{
	memset(config, 0, sizeof(*config));
	slirp_config_init(&config->slirp);
	config->slirp.shard_count = 0;
	config->slirp.mtu = NETNS_MTU_DEFAULT;
	config->interface = "eth0";
	placement_request_init(&config->place);
}

/* What --net takes for any guest, and a TAP does not. */
static int netns_check(const struct netns_config *config, struct fail *fail)
{
	if (config->slirp.shard_count > NETNS_QUEUES_MAX)
		return fail_set(fail, -EINVAL,
				"--net queues=%u is not possible in a "
				"namespace: give a number from 1 to %d",
				config->slirp.shard_count, NETNS_QUEUES_MAX);
	if (config->slirp.mtu > NETNS_MTU_MAX)
		return fail_set(fail, -EINVAL,
				"--net mtu=%u is not possible in a namespace: "
				"give %d bytes at most",
				config->slirp.mtu, NETNS_MTU_MAX);
	return 0;
}

int options_parse_netns(int argc, char **argv, struct netns_config *config,
			struct fail *fail)
{
	int ret;

	netns_defaults(config);
	ret = options_walk(argc, argv, "netns", netns_options, netns_option,
			   config, fail);
	if (ret)
		return ret;
	if (optind < argc)
		config->command = argv + optind;
	return netns_check(config, fail);
}
