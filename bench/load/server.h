/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_SERVER_H
#define MQVMM_LOAD_SERVER_H

#include "options.h"

/**
 * server_run() - Serve TCP and UDP on one port until SIGTERM, SIGINT or
 * --seconds
 * @options:	Where, and with how many threads
 *
 * Prints "port N" on stdout once it serves, and one line of totals at the end.
 *
 * Return: exit status of the process
 */
int server_run(const struct options *options);

/**
 * server_open() - Bind a TCP listener and a UDP socket to the same port
 * @bind_to:	Where; port 0 picks one that both can have
 * @tcp:	The listener, non-blocking
 * @udp:	The UDP socket, non-blocking
 *
 * Return: the port; -errno after one sentence on stderr
 */
int server_open(const struct address *bind_to, int *tcp, int *udp);

/**
 * server_signals() - Have SIGTERM and SIGINT read from a descriptor
 *
 * Call before threads start: they inherit the blocked mask.
 *
 * Return: a signalfd; -errno
 */
int server_signals(void);

#endif
