/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_FORWARD_RIG_H
#define MQVMM_TESTS_FORWARD_RIG_H

#include <stdint.h>

#include "slirp/slirp.h"
#include "support/counts.h"
#include "support/fake_port.h"

/* Running shards with forwards, and the sockets of the host's side. */

#define SHARDS      4
#define WAIT_MS     5000 /* longest wait for anything that must come */
#define CONNECTIONS 200
#define GUEST_PORT  80

struct forward_rig {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct port *port[SHARDS];
	struct slirp *slirp;
	int sock[CONNECTIONS];
	unsigned int sock_count;
};

struct forward_rig *rig_make(enum slirp_engine engine);
/* The first shard follows the number of queues at the end of its turn. */
void rig_pass_turn(struct forward_rig *f);
void rig_start(struct forward_rig *f);
int rig_set_up(void **state);
int rig_set_up_epoll(void **state);
int rig_tear_down(void **state);
struct in6_addr rig_address(const char *text);
struct slirp_forward rig_rule(int protocol, const char *host,
			      unsigned int port);
struct slirp_forward_entry rig_entry_of(struct forward_rig *f, unsigned int id);
/* Open one at run time. Return: its host port */
uint16_t rig_add(struct forward_rig *f, const struct slirp_forward *forward,
		 unsigned int *id);
void rig_remove(struct forward_rig *f, unsigned int id);
int rig_make_socket(const char *to, uint16_t port, int type,
		    struct sockaddr_storage *name, socklen_t *size);
/* Return: 0, or -errno; a connection stays open until the test ends */
int rig_try_connect(struct forward_rig *f, const char *to, uint16_t port);
uint16_t rig_local_port(int sock);
/* From a port that may have a connection already, or 0. Return: the port */
uint16_t rig_connect_from(struct forward_rig *f, uint16_t from, uint16_t to);
void rig_wait_for_flows(const struct forward_rig *f, uint64_t count);
/* The lowest of @count ports that are free at this moment. */
uint16_t rig_free_ports(unsigned int count);

/* A test that runs with both engines. */
#define BOTH(name)                                                            \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down),     \
	{                                                                     \
#name " (epoll)", name, rig_set_up_epoll, rig_tear_down, NULL \
	}

#endif
