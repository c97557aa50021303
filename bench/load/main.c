/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mqload: the load generator of mqvmm's tests and measurements, one static
 * binary for the guest's side and the host's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"
#include "dns.h"
#include "options.h"
#include "server.h"

#define EXIT_USAGE 2

#define EXIT_SKIPPED 77

static const char usage[] =
	"Usage: mqload server [--bind ADDRESS] [--port N] [--threads N]\n"
	"                     [--receive-buffer BYTES]\n"
	"       mqload dns    [--bind ADDRESS] [--port N]\n"
	"       mqload crr|rr|udp --to HOST:PORT [--flows M] [--size BYTES]\n"
	"       mqload rx         --to HOST:PORT [--flows M]\n"
	"       mqload up|down    --to HOST:PORT [--flows M] [--verify]\n"
	"       mqload udpstream  --to HOST:PORT --rate R [--size BYTES]\n"
	"       mqload dnsq       --to HOST[:PORT] [--name NAME]\n"
	"       mqload ping       --to HOST [--size BYTES]\n"
	"       mqload ramp       --to HOST:PORT [--count N] [--hold S]\n"
	"       mqload mixed      --to HOST:PORT [--bulk B]\n"
	"\n"
	"server     answers the clients below, and HTTP GET /BYTES\n"
	"dns        a resolver in which every name is 192.0.2.7, nx* is nothing\n"
	"crr        connect, request, response, close\n"
	"rr         requests and responses over one connection per flow\n"
	"rx         as rr; latency is the answer's way from the server\n"
	"udp        datagrams that are echoed, one at a time per flow\n"
	"up         one stream per flow to the server\n"
	"down       one stream per flow from the server\n"
	"udpstream  datagrams at a rate, which the server echoes: loss\n"
	"dnsq       queries to a resolver, one at a time per flow\n"
	"ping       ICMP echo, one at a time per flow; exit status 77 where it\n"
	"           is not permitted\n"
	"ramp       opens N connections (1000), M at a time, holds them idle and\n"
	"           then uses each once\n"
	"mixed      crr while B streams (1) run in each direction\n"
	"\n"
	"  --to HOST:PORT   numeric address of the server\n"
	"  --bind ADDRESS   numeric address to serve on (127.0.0.1)\n"
	"  --port N         port to serve on; 0, the default, picks a free one\n"
	"  --flows M        concurrent flows (1)\n"
	"  --threads N      event loops that carry the flows; 0, the default:\n"
	"                   each flow has a thread that blocks; a server: 2\n"
	"  --rate R         start R operations per second in all, however long\n"
	"                   they take, and count latency from the time that\n"
	"                   each was to start; 0, the default: a flow starts\n"
	"                   the next when the last one ended\n"
	"  --seconds S      run for S seconds (3 where there is no --count)\n"
	"  --count N        transactions, or bytes of up and down, in all;\n"
	"                   K, M and G are powers of 1024\n"
	"  --size BYTES     of a response or datagram (64)\n"
	"  --timeout S      limit of each operation (10)\n"
	"  --hold S         of ramp, at most 100 (1)\n"
	"  --receive-buffer BYTES\n"
	"                   SO_RCVBUF of a server's connections; the kernel's\n"
	"  --name NAME      of dnsq (mqload.test); a * in it becomes a new\n"
	"                   label for each query\n"
	"  --pin            thread i runs on CPU i modulo their number\n"
	"  --verify         check every byte of a stream, compare checksums\n"
	"  --json           report as JSON\n"
	"\n"
	"A server prints \"port N\" when it is ready and ends with SIGTERM.\n"
	"A client's exit status is 1 when any operation failed.\n";

static const struct client_mode *const modes[] = {
	&client_crr,  &client_rr,   &client_rx,   &client_udp,       &client_up,
	&client_down, &client_dnsq, &client_ping, &client_udpstream,
};

/* NULL for ramp and mixed, which are made of several. */
static const struct client_mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i]->name, name))
			return modes[i];
	return NULL;
}

/* Return: what is wrong with the command line, NULL for nothing. */
static const char *complaint(const char *name, const struct client_mode *mode,
			     const struct options *options)
{
	bool anywhere = mode == &client_ping || mode == &client_dnsq;

	if (!options->to.length || (!anywhere && !address_port(&options->to)))
		return "needs --to HOST:PORT";
	if (mode && mode->stream && options->rate > 0)
		return "goes as fast as it can and takes no --rate";
	if (mode == &client_udpstream && options->rate <= 0)
		return "needs --rate, datagrams per second";
	if (mode == &client_udpstream &&
	    options->size < sizeof(struct load_datagram))
		return "needs a --size of at least 24";
	if (!strcmp(name, "mixed") && options->count)
		return "ends after --seconds and takes no --count";
	return NULL;
}

static void set_defaults(const char *name, const struct client_mode *mode,
			 struct options *options)
{
	if (mode == &client_dnsq && !address_port(&options->to))
		address_set_port(&options->to, 53);
	if (!strcmp(name, "ramp") && !options->count)
		options->count = 1000;
	if (!options->count && options->seconds <= 0)
		options->seconds = 3;
}

static int run_client(const char *name, struct options *options)
{
	const struct client_mode *mode = find_mode(name);
	bool ramp = !strcmp(name, "ramp");
	const char *wrong;

	if (!mode && !ramp && strcmp(name, "mixed") != 0) {
		fprintf(stderr,
			"mqload: there is no mode '%s'; see mqload --help\n",
			name);
		return EXIT_USAGE;
	}
	wrong = complaint(name, mode, options);
	if (wrong) {
		fprintf(stderr, "mqload: %s %s\n", name, wrong);
		return EXIT_USAGE;
	}
	set_defaults(name, mode, options);
	if (mode == &client_ping && ping_permitted(options))
		return EXIT_SKIPPED;
	if (mode)
		return client_run(mode, options);
	return ramp ? ramp_run(options) : mixed_run(options);
}

/* Each connection is a descriptor: as many as we may have without asking. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct options options;

	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (options_parse(&options, argc - 1, argv + 1))
		return EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN);
	allow_descriptors();
	if (!strcmp(argv[1], "server"))
		return server_run(&options);
	if (!strcmp(argv[1], "dns"))
		return dns_run(&options);
	return run_client(argv[1], &options);
}
