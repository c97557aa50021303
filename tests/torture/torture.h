/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TORTURE_H
#define MQVMM_TORTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "slirp/slirp.h"
#include "support/fake_port.h"

/*
 * Theory of operation
 *
 * Running shards, more of them than CPUs, between two ends that know what every
 * byte must be. Threads beside the shards':
 *
 *   guest	 the guest's ends of all flows (guest*.c), IPv4 and IPv6. Each
 *		flow's frames hop between queues: never, now and then, or all
 *		the time.
 *   host	 the host's ends: sockets on loopback (host*.c). Pings the
 *		host's kernel answers.
 *   watcher	 lists flows as the control socket does, and changes the number
 *		of queues in use (watcher.c).
 *
 * Streams are opened and closed from both sides, in order, half at first, or by
 * reset, as a plan says that both ends make from the flow's number (plan.c).
 * What must hold: every byte of every stream is right; every datagram arrives
 * once, those of one queue in order; every flow makes progress; a flow that
 * lives is listed once; in the end no slot, place or descriptor is missing.
 *
 * A failure ends the process at once, with the seed and what it was about.
 */

#define TORTURE_SHARDS_MAX   64
#define TORTURE_LISTENERS    16
#define TORTURE_SERVER_PORT  7000  /* the guest's, that the forward leads to */
#define TORTURE_UDP_FIRST    60000 /* the guest's first UDP port */
#define TORTURE_UDP_MAX      4096
#define TORTURE_UDP_SHARE    8   /* flows of one echo socket: none overflows */
#define TORTURE_UDP_RESIDENT 4   /* one of so many talks all the time */
#define TORTURE_PING_FIRST   1   /* the guest's first identifier */
#define TORTURE_PINGS        32  /* identifiers */
#define TORTURE_HALF_OPEN    100 /* streams of a side that have just begun */
#define TORTURE_QUIET_S      30 /* a flow without progress for this long hangs */

/**
 * struct torture_options - What a run is like
 * @engine:	Of the shards
 * @flows:	That live at a time
 * @seconds:	How long new ones begin
 * @seed:	Of everything random but the threads' timing
 */
struct torture_options {
	enum slirp_engine engine;
	unsigned int shards;
	unsigned int flows;
	unsigned int seconds;
	uint64_t seed;
};

/* How the frames of a flow choose their queue. */
enum torture_hops {
	HOPS_NEVER,
	HOPS_SOMETIMES, /* after up to HOPS_STAY_MAX frames */
	HOPS_ALWAYS,
	HOPS_KINDS,
};

enum torture_abort {
	ABORT_NONE,
	ABORT_GUEST,
	ABORT_HOST,
};

/**
 * struct plan - What both ends know of a stream
 * @up, @down:	Bytes from the guest, and to it, TORTURE_HEADER at least
 * @abort:	Who resets it
 * @abort_at:	... when it has taken so many bytes, 1 to all of them
 * @guest_waits: Its FIN follows the host's; otherwise it is sent at once
 * @host_waits:	The other way round; never both
 * @is6:	By IPv6
 * @window:	Of the guest, bytes
 */
struct plan {
	uint32_t up;
	uint32_t down;
	enum torture_abort abort;
	uint32_t abort_at;
	bool guest_waits;
	bool host_waits;
	bool is6;
	uint32_t window;
	enum torture_hops hops;
};

#define TORTURE_HEADER 8 /* a stream begins with its flow's number, bytes */

/**
 * struct torture - One run
 * @is6:	The host has IPv6, and so has the guest
 * @queues:	In use; atomic
 * @next_id:	Number of the next stream; atomic
 * @stopping:	No new flow begins; atomic
 * @unwatched, @quit: The watcher ends, guest and host do; atomic
 * @over:	Posted by guest and host, each once its last stream has ended
 * @bell:	Rung when there is a frame for the guest
 * @listener:	The host's ports, TCP; those of odd numbers are IPv6's
 * @forward_port: The host's that lead to TORTURE_SERVER_PORT, by IPv4 and IPv6
 * @echo, @echo_port: The host's UDP sockets; odd ones as with @listener
 * @udp_flows:	UDP ports of the guest that talk
 * @udp_begun:	Of these, those that have been answered once; atomic
 * @streams, @resets, @datagrams, @pings, @listings: Done, counted by their
 *		thread
 * @handed, @moved: Frames handed over between shards, and flows moved
 */
struct torture {
	struct torture_options options;
	struct slirp_config config;
	struct slirp *slirp;
	struct fake_port *fake[TORTURE_SHARDS_MAX];
	bool is6;
	unsigned int queues;
	uint32_t next_id;
	bool stopping;
	bool unwatched;
	bool quit;
	sem_t over;
	int bell;
	int listener[TORTURE_LISTENERS];
	uint16_t listener_port[TORTURE_LISTENERS];
	uint16_t forward_port[2];
	int echo[TORTURE_UDP_MAX / TORTURE_UDP_SHARE];
	uint16_t echo_port[TORTURE_UDP_MAX / TORTURE_UDP_SHARE];
	unsigned int udp_flows;
	unsigned int udp_begun;
	uint64_t streams;
	uint64_t resets;
	uint64_t datagrams;
	uint64_t pings;
	uint64_t listings;
	uint64_t handed;
	uint64_t moved;
	const char *engine_name;
};

/* main.c */

/* Say it, with the seed and the NAT's counters, and end the process. */
__attribute__((format(printf, 2, 3))) _Noreturn void torture_fail(
	const struct torture *torture, const char *format, ...);

static inline bool torture_is(const bool *flag)
{
	/* Pairs with torture_set(). */
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void torture_set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

uint64_t torture_now_us(void);

/* Is the host's socket of this number IPv6's? */
static inline bool torture_is6(const struct torture *torture,
			       unsigned int number)
{
	return torture->is6 && number % 2;
}

/* run.c */
struct slirp_endpoint run_loopback(bool is6, uint16_t port);
void torture_run(struct torture *torture);

/* The threads' functions; @context is the struct torture. */
void *guest_main(void *context);
void *host_main(void *context);
void *watcher_main(void *context);

/* plan.c */

struct random {
	uint64_t state;
};

/* Return: 0 to @below - 1 */
uint32_t random_below(struct random *random, uint32_t below);

struct plan plan_make(const struct torture *torture, uint32_t id);

/* One direction of a stream: @up is from the guest. */
void stream_fill(const struct torture *torture, uint32_t id, bool up,
		 uint32_t offset, uint8_t *data, size_t size);
void stream_check(const struct torture *torture, uint32_t id, bool up,
		  uint32_t offset, const uint8_t *data, size_t size);
/* Return: the number that a stream begins with */
uint32_t stream_id(const uint8_t *header);

/**
 * struct datagram - What a datagram of a flow carries, either way
 * @flow:	Index
 * @number:	From the host: of all that it has sent to the flow
 * @queue:	From the guest: which it went out on,
 * @place:	... and its place among those
 * @answers:	From the guest: how many to send back
 */
struct datagram {
	uint32_t flow;
	uint32_t number;
	uint32_t queue;
	uint32_t place;
	uint32_t answers;
};

#define DATAGRAM_MAX 1400 /* bytes */

#endif
