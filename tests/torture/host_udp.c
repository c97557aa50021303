/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "host.h"

void echo_set_up(struct host *host)
{
	struct torture *torture = host->torture;
	unsigned int flows = torture->udp_flows;

	host->place = calloc(flows + 1, sizeof(*host->place));
	host->number = calloc(flows + 1, sizeof(*host->number));
	for (unsigned int i = 0; i * TORTURE_UDP_SHARE < flows; i++)
		host_watch(host, torture->echo[i], &torture->echo[i], EPOLLIN,
			   true);
}

static void echo_check(struct host *host, const struct datagram *datagram,
		       ssize_t size)
{
	const struct torture *torture = host->torture;
	uint32_t *place;

	if ((size_t)size < sizeof(*datagram) ||
	    datagram->flow >= torture->udp_flows ||
	    datagram->queue >= torture->options.shards)
		torture_fail(torture, "a datagram of %zd bytes came", size);
	place = &host->place[datagram->flow][datagram->queue];
	if (datagram->place != *place)
		torture_fail(torture,
			     "datagram flow %u: datagram %u of queue %u came "
			     "where %u is next",
			     datagram->flow, datagram->place, datagram->queue,
			     *place);
	++*place;
}

static void echo_answer(struct host *host, int sock, struct datagram *datagram,
			size_t size, const struct sockaddr_storage *to,
			socklen_t to_size)
{
	for (uint32_t i = 0; i < datagram->answers; i++) {
		datagram->number = host->number[datagram->flow]++;
		memcpy(host->data, datagram, sizeof(*datagram));
		while (sendto(sock, host->data, size, 0,
			      (const struct sockaddr *)to, to_size) < 0)
			if (errno != EAGAIN)
				torture_fail(host->torture, "an answer: %s",
					     strerror(errno));
	}
}

void echo_run(struct host *host, int sock)
{
	struct sockaddr_storage from;
	struct datagram datagram;
	socklen_t size;
	ssize_t got;

	for (;;) {
		size = sizeof(from);
		got = recvfrom(sock, host->data, sizeof(host->data),
			       MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		if (got < 0)
			return;
		memcpy(&datagram, host->data, sizeof(datagram));
		echo_check(host, &datagram, got);
		echo_answer(host, sock, &datagram, (size_t)got, &from, size);
	}
}
