/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TORTURE_HOST_H
#define MQVMM_TORTURE_HOST_H

#include <sys/queue.h>

#include "torture.h"

/**
 * struct conn - The host's end of a stream
 * @known:	The guest's stream has told @id, or it was opened here
 * @head:	Its first bytes, @up_got of them, until it is
 * @ours:	Opened here
 * @watched:	EPOLL* that we are told of
 * @up_over:	The guest's FIN is there
 * @down_over:	Ours is sent
 */
struct conn {
	TAILQ_ENTRY(conn) node;
	int sock;
	bool known;
	bool ours;
	bool up_over;
	bool down_over;
	uint32_t watched;
	uint32_t id;
	struct plan plan;
	uint32_t up_got;
	uint32_t down_sent;
	uint8_t head[TORTURE_HEADER];
	uint64_t alive_us;
};

TAILQ_HEAD(conns, conn);

/**
 * struct host - The host's side of everything
 * @conns:	All that are not over; @opened of them were opened here,
 *		and of @half_open of these nothing has come yet
 * @ended:	Over, freed when no event of this round can name them
 * @place:	Of the next datagram of each flow and queue
 * @number:	Of the next answer to each flow
 */
struct host {
	struct torture *torture;
	struct random random;
	uint64_t now_us;
	int epoll;
	struct conns conns;
	struct conns ended;
	unsigned int opened;
	unsigned int half_open;
	uint32_t (*place)[TORTURE_SHARDS_MAX];
	uint32_t *number;
	bool told;
	uint8_t data[32768];
};

/* host.c: have epoll tell of @events on @source's socket */
void host_watch(struct host *host, int sock, void *source, uint32_t events,
		bool anew);

/* host_tcp.c */
void conn_accept(struct host *host, int listener);
void conn_open(struct host *host);
void conn_event(struct host *host, struct conn *conn, uint32_t events);
/* One that makes no progress fails the run. */
void conn_check_alive(const struct host *host, const struct conn *conn);

/* host_udp.c */
void echo_set_up(struct host *host);
void echo_run(struct host *host, int sock);

#endif
