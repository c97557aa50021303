/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_CONTROL_RIG_H
#define MQVMM_TESTS_CONTROL_RIG_H

#include <cjson/cJSON.h>

#include "control/control.h"
#include "support/fake_port.h"

/*
 * A running NAT with fake ports and a control socket in a folder of its own.
 * All checks fail the test.
 */

#define RIG_SHARDS  2
#define RIG_WAIT_MS 5000 /* longest wait for anything that must come */

struct rig {
	struct slirp_config config;
	struct fake_port *fake[RIG_SHARDS];
	struct slirp *slirp;
	struct control *control;
	char folder[64];
	char path[80];
	int host; /* a UDP socket on loopback */
	uint16_t host_port;
	struct sockaddr_in last; /* whom its last datagram came from */
};

/* For cmocka. */
int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Start another control of the same NAT. Return: control_start()'s */
int rig_start(struct rig *rig, const char *path, struct control **control,
	      struct fail *fail);

/* A client of the rig's. Return: its socket; reads wait RIG_WAIT_MS at most */
int rig_connect(const struct rig *rig);

void rig_send(int sock, const char *text);

/* A reply's line, from malloc(); NULL at the end of the connection. */
char *rig_receive(int sock);

/* Send a line, and take its reply, which is the caller's to delete. */
cJSON *rig_ask(int sock, const char *line);

/* The sentence that a line is refused with, from malloc(). */
char *rig_refusal(int sock, const char *line);

/* A datagram from a port of the guest's, by a queue, arrives at the host. */
void rig_datagram(struct rig *rig, unsigned int queue, uint16_t from_port,
		  size_t size);

/* The host answers the last datagram; the guest takes it from @queue. */
void rig_answer(struct rig *rig, unsigned int queue, size_t size);

#endif
