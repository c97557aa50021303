/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_SERVER_CLOCK_H
#define MQVMM_LOAD_SERVER_CLOCK_H

#include <stdint.h>

/**
 * struct clock_bounds - How far the server's clock is ahead of ours, at the
 * least and at the most
 * @low_ns:	At least so far
 * @high_ns:	At most so far
 */
struct clock_bounds {
	int64_t low_ns;
	int64_t high_ns;
};

/**
 * struct server_clock - What a flow knows of the server's clock
 * @begun_ns:	When the present exchange began, by our clock
 * @before:	What the block of exchanges before the present one told
 * @present:	What the present block tells so far
 * @since_ns:	When it began
 * @count:	Exchanges in it
 *
 * Zeroed before the first exchange.
 */
struct server_clock {
	uint64_t begun_ns;
	struct clock_bounds before;
	struct clock_bounds present;
	uint64_t since_ns;
	unsigned int count;
};

/**
 * server_clock_sent_ns() - Tell when the server sent an answer, by our clock
 * @clock:	Clock, whose @begun_ns is set; learns from the exchange
 * @stamp_ns:	The server's clock when it sent
 * @now_ns:	Our clock when the answer was here
 *
 * Return: nanoseconds, between @begun_ns and @now_ns
 */
uint64_t server_clock_sent_ns(struct server_clock *clock, uint64_t stamp_ns,
			      uint64_t now_ns);

#endif
