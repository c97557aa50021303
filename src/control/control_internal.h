/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_CONTROL_CONTROL_INTERNAL_H
#define MQVMM_CONTROL_CONTROL_INTERNAL_H

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "control/control.h"

/*
 * What the files of the server share: server.c (the thread), socket.c (where it
 * listens), connection.c (lines in, replies out), request.c (what a line means)
 * and a file for each group of requests.
 */

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX    65536 /* bytes of a request, without its newline */

struct reply;

/**
 * struct reply - What a request is answered with: one line
 * @text:	The part that is being sent, from malloc(); NULL if there is
 *none
 * @size:	Of @text, bytes
 * @sent:	Bytes of it that are sent
 * @more:	Writes the next part. Return: false if it was the last. NULL
 *when
 *		@text is the last one.
 * @flows:	Where a listing of flows goes on
 * @begun:	A part of it was written
 */
struct reply {
	char *text;
	size_t size;
	size_t sent;
	bool (*more)(struct control *control, struct reply *reply, FILE *out);
	struct slirp_flow_cursor flows;
	bool begun;
};

/**
 * struct connection - A client
 * @sock:	Its socket, -1 if the entry is free
 * @line:	Bytes that are read and not yet used
 * @filled:	Of @line
 * @seen:	Of these, known to have no newline
 * @skipping:	The line was too long: its rest is dropped
 * @ended:	The client will send no more
 * @reply:	To the last request; the next one waits until it is sent
 */
struct connection {
	int sock;
	char line[CONTROL_LINE_MAX + 1];
	size_t filled;
	size_t seen;
	bool skipping;
	bool ended;
	struct reply reply;
};

/**
 * struct control - The server
 * @config:	As given
 * @listener:	Listening socket
 * @device, @inode: Of the socket's file, to remove no other one
 * @wake_fd:	Readable when the thread is to end
 * @thread:	Serves
 * @deaf:	No connection could be taken: try again later
 */
struct control {
	struct control_config config;
	int listener;
	dev_t device;
	ino_t inode;
	int wake_fd;
	pthread_t thread;
	bool deaf;
	struct connection connection[CONTROL_CLIENTS_MAX];
};

/* socket.c */

/* Listen on config.path. Return: 0 or negative errno */
int control_listen(struct control *control, struct fail *fail);
/* Stop, and remove the file if it is still ours. */
void control_unlisten(struct control *control);

/* connection.c */

void connection_open(struct connection *connection, int sock);
void connection_close(struct connection *connection);

/* Is there something to do without anything happening on the socket? */
bool connection_is_busy(const struct connection *connection);
/* Return: POLLIN or POLLOUT */
short connection_events(const struct connection *connection);

/**
 * connection_serve() - Do one step: send, answer a request, or read
 *
 * Return: false if the connection has ended
 *
 * Context: does not sleep for the client.
 */
bool connection_serve(struct control *control, struct connection *connection);

/* request.c */

/**
 * request_run() - Answer a line
 * @line:	Without its newline; @size bytes and a NUL behind them
 * @reply:	Empty; filled
 */
void request_run(struct control *control, const char *line, size_t size,
		 struct reply *reply);

/* Say what is wrong: {"error":"..."} */
void reply_error(struct reply *reply, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Say what was asked for: {"return":@value}. Frees @value, which is NULL
 * without memory. */
void reply_value(struct reply *reply, cJSON *value);

/* Get the reply's next part. Return: false without memory */
bool reply_continue(struct control *control, struct reply *reply);

/* argument.c: what an argument is, or @otherwise if it is not there; else the
 * reply says what is wrong, and false is returned. Without @otherwise a string
 * must be there. */
bool argument_string(const cJSON *arguments, const char *name,
		     const char *otherwise, const char **value,
		     struct reply *reply);
bool argument_bool(const cJSON *arguments, const char *name, bool otherwise,
		   bool *value, struct reply *reply);
bool argument_size(const cJSON *arguments, const char *name, uint64_t otherwise,
		   uint64_t *value, struct reply *reply);

/* forward.c, policy.c, limits.c, pcap.c */

void forward_request_add(struct control *control, const cJSON *arguments,
			 struct reply *reply);
void forward_request_remove(struct control *control, const cJSON *arguments,
			    struct reply *reply);
void forward_request_list(struct control *control, const cJSON *arguments,
			  struct reply *reply);
void policy_request_set(struct control *control, const cJSON *arguments,
			struct reply *reply);
void policy_request_show(struct control *control, const cJSON *arguments,
			 struct reply *reply);
void limits_request(struct control *control, const cJSON *arguments,
		    struct reply *reply);

void pcap_request_start(struct control *control, const cJSON *arguments,
			struct reply *reply);
void pcap_request_stop(struct control *control, const cJSON *arguments,
		       struct reply *reply);

/* flows.c: a reply in parts */

bool flows_reply(struct control *control, struct reply *reply, FILE *out);

#endif
