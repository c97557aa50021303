/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * torture server [ADDRESS] [PORT]
 *	Prints "port N", then serves.
 * torture client ADDRESS PORT SEED COUNT PARALLEL MOST [exact]
 *	COUNT connections, PARALLEL at a time, of up to MOST bytes each way.
 *
 * TCP connections of random sizes and shapes (torture_plan.h), of which each
 * end checks every byte that it receives, and that the other's half ends after
 * the last one. A last connection fetches the server's verdict. Exit status: 0
 * if no end has anything to complain of.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture_stream.h"

#define PARALLEL_MAX   64
#define NUMBER_VERDICT UINT32_MAX

struct verdict {
	uint32_t good;
	uint32_t bad;
};

/* Server */

struct server {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int running;
	struct verdict verdict;
};

struct served {
	struct server *server;
	struct stream stream;
};

static void *serve(void *context)
{
	struct served *served = context;
	struct server *server = served->server;
	struct stream *stream = &served->stream;
	struct verdict verdict;
	bool told =
		recv(stream->sock, &stream->greeting, sizeof(stream->greeting),
		     MSG_WAITALL) == sizeof(stream->greeting);
	bool asks = told && stream->greeting.number == NUMBER_VERDICT;
	bool good = false;

	if (told && !asks) {
		stream_begin(stream, TORTURE_SERVER);
		good = stream_run(stream);
	}
	pthread_mutex_lock(&server->lock);
	if (!asks) {
		server->verdict.good += good;
		server->verdict.bad += told && !good;
	}
	server->running--;
	pthread_cond_broadcast(&server->idle);
	while (asks && server->running)
		pthread_cond_wait(&server->idle, &server->lock);
	verdict = server->verdict;
	if (asks)
		server->verdict = (struct verdict) { 0 };
	pthread_mutex_unlock(&server->lock);
	if (asks)
		send(stream->sock, &verdict, sizeof(verdict), MSG_NOSIGNAL);
	close(stream->sock);
	free(served);
	return NULL;
}

static int serve_one(struct server *server, int sock)
{
	struct served *served = calloc(1, sizeof(*served));
	pthread_t thread;

	if (!served)
		return -1;
	served->server = server;
	served->stream.sock = sock;
	pthread_mutex_lock(&server->lock);
	server->running++;
	pthread_mutex_unlock(&server->lock);
	if (pthread_create(&thread, NULL, serve, served))
		return -1;
	return pthread_detach(thread);
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static union address address_of(const char *host, const char *port)
{
	union address address = { .in6 = { .sin6_family = AF_INET6 } };

	/* The port is at the same place in both. */
	address.in6.sin6_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET6, host, &address.in6.sin6_addr) == 1)
		return address;
	address.in.sin_family = AF_INET;
	inet_pton(AF_INET, host, &address.in.sin_addr);
	return address;
}

static int server_main(const char *host, const char *port)
{
	struct server server = { .lock = PTHREAD_MUTEX_INITIALIZER,
				 .idle = PTHREAD_COND_INITIALIZER };
	union address address = address_of(host, port);
	socklen_t size = sizeof(address);
	int sock = socket(address.any.sa_family, SOCK_STREAM, 0);

	if (bind(sock, &address.any, size) || listen(sock, 1024) ||
	    getsockname(sock, &address.any, &size)) {
		perror("torture: listen");
		return 1;
	}
	printf("port %u\n", ntohs(address.in.sin_port));
	fflush(stdout);
	for (;;)
		if (serve_one(&server, accept(sock, NULL, NULL)))
			return 1;
}

/* Client */

struct client {
	union address to;
	struct greeting greeting;
	uint32_t count;
	uint32_t next;
	uint32_t bad;
};

/* Return: -1 if that failed */
static int client_connect(const struct client *client,
			  const struct greeting *greeting)
{
	int sock = socket(client->to.any.sa_family, SOCK_STREAM, 0);

	if (connect(sock, &client->to.any, sizeof(client->to)) ||
	    send(sock, greeting, sizeof(*greeting), MSG_NOSIGNAL) !=
		    sizeof(*greeting)) {
		perror("torture: connect");
		close(sock);
		return -1;
	}
	return sock;
}

static void client_run(struct client *client, uint32_t number)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	bool good = false;

	if (!stream)
		abort();
	stream->greeting = client->greeting;
	stream->greeting.number = number;
	stream->sock = client_connect(client, &stream->greeting);
	if (stream->sock >= 0) {
		stream_begin(stream, TORTURE_CLIENT);
		good = stream_run(stream);
		close(stream->sock);
	}
	__atomic_fetch_add(&client->bad, !good, __ATOMIC_RELAXED);
	free(stream);
}

static void *client_thread(void *context)
{
	struct client *client = context;
	uint32_t number;

	while ((number = __atomic_fetch_add(&client->next, 1,
					    __ATOMIC_RELAXED)) < client->count)
		client_run(client, number);
	return NULL;
}

static bool client_is_content(struct client *client)
{
	struct greeting ask = { .number = NUMBER_VERDICT };
	int sock = client_connect(client, &ask);
	struct verdict verdict = { 0 };

	if (sock < 0)
		return false;
	if (recv(sock, &verdict, sizeof(verdict), MSG_WAITALL) !=
	    sizeof(verdict))
		perror("torture: verdict");
	close(sock);
	printf("seed %#llx: client %u good %u bad, server %u good %u bad\n",
	       (unsigned long long)client->greeting.seed,
	       client->count - client->bad, client->bad, verdict.good,
	       verdict.bad);
	return !client->bad && !verdict.bad && verdict.good == client->count;
}

static int client_main(char **argument, bool exact)
{
	struct client client = {
		.to = address_of(argument[0], argument[1]),
		.greeting = { .seed = strtoull(argument[2], NULL, 0),
			      .most = strtoull(argument[5], NULL, 0),
			      .exact = exact },
		.count = (uint32_t)atoi(argument[3]),
	};
	unsigned int threads = (unsigned int)atoi(argument[4]);
	pthread_t thread[PARALLEL_MAX];

	if (threads > PARALLEL_MAX)
		threads = PARALLEL_MAX;
	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, client_thread, &client))
			abort();
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return client_is_content(&client) ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "server"))
		return server_main(argc > 2 ? argv[2] : "127.0.0.1",
				   argc > 3 ? argv[3] : "0");
	if (argc >= 8 && !strcmp(argv[1], "client"))
		return client_main(argv + 2, argc > 8);
	fprintf(stderr, "usage: torture server [ADDRESS] [PORT]\n"
			"       torture client ADDRESS PORT SEED COUNT "
			"PARALLEL MOST [exact]\n");
	return 2;
}
