/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_internal.h"
#include "fuzz/fuzz.h"
#include "fuzz/nat.h"
#include "fuzz/world.h"

/*
 * Target: what a client of the control socket sends. An input is the size of
 * the pieces that it comes in, and the lines. The files that it names are not
 * touched: while it is served, a new file is one in memory.
 */

#define STEPS_MAX 100000

static bool serving;

/* Linked with --wrap=open,--wrap=unlink. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (serving && flags & O_CREAT)
		return memfd_create("file", MFD_CLOEXEC);
	return __real_open(path, flags, mode);
}

int __wrap_unlink(const char *path)
{
	return serving ? 0 : __real_unlink(path);
}

static void print_stats(void *context, FILE *out)
{
	(void)context;
	fputs("{}", out);
}

/* Read what the server says. Return: false if it has hung up */
static bool client_read(int sock)
{
	char reply[65536];
	ssize_t size;

	do
		size = recv(sock, reply, sizeof(reply), MSG_DONTWAIT);
	while (size > 0);
	return size != 0;
}

/* Let the server do what is to be done. Return: false if it has ended */
static bool serve(struct control *control, int client)
{
	struct connection *connection = &control->connection[0];

	for (int steps = 0; steps < STEPS_MAX; steps++) {
		if (connection->reply.text)
			client_read(client);
		else if (!connection_is_busy(connection))
			/* Read what came, if anything did. */
			return connection_serve(control, connection) &&
			       (!connection_is_busy(connection) ||
				serve(control, client));
		if (!connection_serve(control, connection))
			return false;
	}
	abort(); /* it never comes to an end */
}

static void talk(struct control *control, struct fuzz_input *input)
{
	size_t piece = fuzz_take16(input);
	int pair[2];
	bool there = true;

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) ==
		   0);
	connection_open(&control->connection[0], pair[0]);
	while (there && input->left) {
		struct fuzz_input bytes = fuzz_take(input, piece + 1);

		FUZZ_CHECK(send(pair[1], bytes.at, bytes.left, MSG_NOSIGNAL) ==
			   (ssize_t)bytes.left);
		there = serve(control, pair[1]);
	}
	shutdown(pair[1], SHUT_WR);
	if (there)
		serve(control, pair[1]);
	connection_close(&control->connection[0]);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct slirp_config config;
	struct control *control = calloc(1, sizeof(*control));
	struct nat nat;

	FUZZ_CHECK(control);
	nat_config_init(&config);
	config.shard_count = 2;
	nat_begin(&nat, &config);
	nat_transmit_datagram(&nat, true, 2, 1000, 7, data, 0);
	nat_run(&nat);
	control->config = (struct control_config) {
		.slirp = nat.slirp,
		.print_stats = print_stats,
	};
	serving = true;
	talk(control, &input);
	serving = false;
	nat_end(&nat);
	free(control);
	return 0;
}
