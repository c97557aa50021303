/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lossy: mqvmm with a bad network between the namespace and the NAT. A test
 * program only; it is mqvmm linked with --wrap, and takes from its environment
 *
 *	LOSSY=LOSS,COPY,DELAY,LATE_MS,SEED	see struct lossy_config
 *	LOSSY_PEEK=no	the kernel has no SO_PEEK_OFF for TCP
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/lossy_port.h"
#include "tap/tap_port.h"

struct port *__real_tap_port_create(int fd, unsigned int mtu);
struct port *__wrap_tap_port_create(int fd, unsigned int mtu);
void __real_tap_port_destroy(struct port *port);
void __wrap_tap_port_destroy(struct port *port);
int __real_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size);
int __wrap_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size);

static unsigned long next_number(char **text)
{
	unsigned long number = strtoul(*text, text, 0);

	if (**text == ',')
		(*text)++;
	return number;
}

/* Each queue has bad luck of its own. */
struct port *__wrap_tap_port_create(int fd, unsigned int mtu)
{
	struct port *inner = __real_tap_port_create(fd, mtu);
	char *text = getenv("LOSSY");
	struct lossy_config config = { 0 };

	if (text) {
		config.loss = (unsigned int)next_number(&text);
		config.copy = (unsigned int)next_number(&text);
		config.delay = (unsigned int)next_number(&text);
		config.late_ms = (unsigned int)next_number(&text);
		config.seed = next_number(&text) ^ (uint64_t)fd << 32;
	}
	return inner ? lossy_port_create(inner, &config) : NULL;
}

void __wrap_tap_port_destroy(struct port *port)
{
	struct port *inner = port ? lossy_port_inner(port) : NULL;

	if (port)
		lossy_port_destroy(port);
	__real_tap_port_destroy(inner);
}

int __wrap_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size)
{
	const char *peek = getenv("LOSSY_PEEK");

	if (level == SOL_SOCKET && name == SO_PEEK_OFF && peek &&
	    !strcmp(peek, "no")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_setsockopt(sock, level, name, value, size);
}
