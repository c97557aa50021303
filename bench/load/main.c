/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mqload: the load generator of mqvmm's tests and measurements, one static
 * binary for the guest's side and the host's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "dns.h"
#include "options.h"
#include "server.h"

#define EXIT_USAGE 2

static const char usage[] =
	"Usage: mqload server [--bind ADDRESS] [--port N] [--threads N]\n"
	"       mqload dns    [--bind ADDRESS] [--port N]\n"
	"       mqload crr|rr|udp --to HOST:PORT [--flows M] [--size BYTES]\n"
	"       mqload up|down    --to HOST:PORT [--flows M] [--verify]\n"
	"\n"
	"server  answers all of the clients below, and HTTP GET /BYTES\n"
	"dns     a resolver in which every name is 192.0.2.7, nx* is nothing\n"
	"crr     connect, request, response, close\n"
	"rr      requests and responses over one connection per flow\n"
	"udp     datagrams that are echoed\n"
	"up      one stream per flow to the server\n"
	"down    one stream per flow from the server\n"
	"\n"
	"  --to HOST:PORT   numeric address of the server\n"
	"  --bind ADDRESS   numeric address to serve on (127.0.0.1)\n"
	"  --port N         port to serve on; 0, the default, picks a free one\n"
	"  --threads N      server threads (2)\n"
	"  --flows M        concurrent flows, a thread each (1)\n"
	"  --seconds S      run for S seconds (3 where there is no --count)\n"
	"  --count N        transactions, or bytes of up and down, in all;\n"
	"                   K, M and G are powers of 1024\n"
	"  --size BYTES     of a response or datagram (64)\n"
	"  --timeout S      limit of each operation (10)\n"
	"  --pin            flow i runs on CPU i modulo their number\n"
	"  --verify         check every byte of a stream, compare checksums\n"
	"  --json           report as JSON\n"
	"\n"
	"A server prints \"port N\" when it is ready and ends with SIGTERM.\n"
	"A client's exit status is 1 when any operation failed.\n";

static const struct client_mode *const modes[] = {
	&client_crr, &client_rr, &client_udp, &client_up, &client_down,
};

static int run_client(const char *name, struct options *options)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i]->name, name) != 0)
			continue;
		if (!options->to.length) {
			fprintf(stderr, "mqload: %s needs --to HOST:PORT\n",
				name);
			return EXIT_USAGE;
		}
		if (!options->count && options->seconds <= 0)
			options->seconds = 3;
		return client_run(modes[i], options);
	}
	fprintf(stderr, "mqload: there is no mode '%s'; see mqload --help\n",
		name);
	return EXIT_USAGE;
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
	if (!strcmp(argv[1], "server"))
		return server_run(&options);
	if (!strcmp(argv[1], "dns"))
		return dns_run(&options);
	return run_client(argv[1], &options);
}
