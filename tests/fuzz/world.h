/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_FUZZ_WORLD_H
#define MQVMM_FUZZ_WORLD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the NAT sees of the host: a network namespace with nothing but a
 * loopback interface, so that no packet leaves, and a clock that only the input
 * moves. LLVMFuzzerTestOneInput() has no context, so the clock is a variable of
 * the program's.
 *
 * The LLVMFuzzerInitialize() of a target that is linked with it is here: it
 * goes into the namespace, or ends the program with status 77, which means
 * skipped, where that is not allowed.
 */

/* Begin an input: the clock stands at the same time each time. */
void world_begin(void);
/* CLOCK_MONOTONIC goes on. */
void world_advance(uint64_t ms);

/**
 * world_open() - A socket on the loopback interface, bound to a free port
 * @family:	AF_INET or AF_INET6
 * @type:	SOCK_STREAM (then it listens) or SOCK_DGRAM
 * @port:	Where it is, or 0 to choose; host byte order
 *
 * Return: a non-blocking descriptor
 */
int world_open(int family, int type, uint16_t port);
/* Connect to a port of 127.0.0.1. Return: a non-blocking descriptor */
int world_connect(int type, uint16_t port);
/* Where a socket is bound, host byte order. */
uint16_t world_port(int sock);
/* Close a connection by RST, which leaves nothing behind. */
void world_reset(int sock);

#endif
