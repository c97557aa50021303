/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_SERVER_THREAD_H
#define MQVMM_LOAD_SERVER_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "server_conn.h"

#define SERVER_IDLE_S 120 /* a connection silent for so long is closed */

/**
 * struct server_thread - One event loop of the server
 * @thread:	Its thread
 * @tcp:	Listener, shared by all threads
 * @udp:	UDP socket, shared by all threads
 * @stop:	eventfd, readable when all threads are to end
 * @epoll:	Its own epoll instance
 * @context:	What its connections use, with the totals
 * @idle:	List of its connections, the longest silent first
 * @connections: Accepted
 * @datagrams:	Echoed
 */
struct server_thread {
	pthread_t thread;
	int tcp;
	int udp;
	int stop;
	int epoll;
	struct conn_context context;
	struct conn idle;
	uint64_t connections;
	uint64_t datagrams;
};

/**
 * server_thread_start() - Start one event loop
 * @thread:	@tcp, @udp, @stop and @context.pattern set, the rest zero
 *
 * Return: 0 or -errno
 */
int server_thread_start(struct server_thread *thread);

/**
 * server_thread_join() - Wait for an event loop to end and free what it has
 * @thread:	A started thread, after @stop was written
 */
void server_thread_join(struct server_thread *thread);

#endif
