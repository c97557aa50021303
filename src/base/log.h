/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BASE_LOG_H
#define MQVMM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/**
 * log_line() - Print one line, with the program's name before it, to stderr
 * @fmt:	printf format, no newline
 *
 * Context: any thread, may sleep. Never per packet: a message that a guest can
 * trigger goes through log_limit_pass() first.
 */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct log_limit - Lets one message through per LOG_LIMIT_S, counts the rest
 * @next_s:	CLOCK_MONOTONIC second from which the next one may pass
 * @dropped:	Messages held back since the last that passed
 *
 * Owned by one thread; zeroed to start.
 */
struct log_limit {
	uint64_t next_s;
	uint64_t dropped;
};

#define LOG_LIMIT_S 5 /* seconds between two messages of one kind */

/**
 * log_limit_pass() - May a message that a guest can trigger be printed now?
 * @limit:	The message's own limiter
 * @now_s:	CLOCK_MONOTONIC time, seconds
 *
 * Return: true at most once per LOG_LIMIT_S
 */
bool log_limit_pass(struct log_limit *limit, uint64_t now_s);

#endif
