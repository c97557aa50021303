/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_FAKE_SHARD_H
#define MQVMM_TESTS_FAKE_SHARD_H

#include "slirp/protocols.h"
#include "slirp/shard.h"

/*
 * A shard for tests of one protocol: shard.h and flow.h made of plain arrays,
 * no thread, no RCU, and a clock that only moves when the test says so. Frames
 * towards the guest are captured, sockets are real ones (engine epoll), so a
 * test plays the host's side with the C library. Link it with mqvmm_slirp: the
 * linker then leaves out the real shard.
 *
 * A turn is what it is for the real shard: fake_input() hands frames in,
 * fake_turn() runs the batch, events, acknowledgements and timers.
 */

#define FAKE_FLOWS_MAX  128
#define FAKE_OPS_MAX    256
#define FAKE_FRAMES_MAX 4096
#define FAKE_INPUTS_MAX 256
#define FAKE_SEGMENT    1526 /* bytes in each piece of the guest's space */
#define FAKE_ROUNDS_MAX 8

/**
 * struct fake_frame - A frame that the guest was sent
 * @data:	From the Ethernet header on
 * @length:	Bytes
 */
struct fake_frame {
	uint8_t *data;
	size_t length;
	struct port_offload offload;
	unsigned int queue;
};

/* The copy of a frame from the guest, in place until the turn's end. */
struct fake_input {
	uint8_t *data;
	struct port_frame frame;
};

/**
 * struct shard - What tests read and set directly
 * @config, @features: May be changed between turns
 * @counters:	As counted by the protocol
 * @now_us:	The clock, see fake_advance()
 * @rx_frames_left: Frames the guest has receive space for; -1 no limit
 * @foreign_owner: What flow_create() says if not negative: another shard has it
 * @next_socket: What shard_take_socket() gives next; -1: a new one
 * @sockets_left: TCP sockets that shard_take_socket() gives; -1 no limit
 * @keeps_left:	Buffers that shard_take_keep() gives; -1 no limit
 * @holds_left:	The same for shard_take_hold()
 * @hook:	Called before each operation: true with op.result set means that
 *		it is not run
 * @op_count:	Operations run so far, by kind
 * @sent:	Frames sent to the guest; fake_next() reads them in order
 * @stalls:	Calls of shard_stall_flow()
 */
struct shard {
	struct slirp_config config;
	struct port_features features;
	struct shard_counters counters;
	uint64_t now_us;
	int rx_frames_left;
	int foreign_owner;
	int next_socket;
	int sockets_left;
	int keeps_left;
	int holds_left;
	bool (*hook)(struct shard *shard, struct shard_op *op);
	void *hook_context;
	unsigned int op_count[ENGINE_CONNECT + 1];
	struct fake_frame sent[FAKE_FRAMES_MAX];
	unsigned int sent_count, sent_read;
	unsigned int stalls;

	struct timer_wheel timers;
	struct engine *engine;
	struct dns_cache *dns_cache;
	struct udp_filter *udp_filter; /* NULL, or the test's */
	struct resolvers *resolvers;
	struct flow *flow[FAKE_FLOWS_MAX];
	unsigned int flow_count;
	struct shard_op op[2][FAKE_OPS_MAX];
	unsigned int batch_count[2];
	unsigned int queueing;
	struct flow *ack_first, **ack_last;
	struct flow *stall_first, **stall_last;
	struct fake_input input[FAKE_INPUTS_MAX];
	unsigned int input_count;
	unsigned int input_queue;
	unsigned int reserved; /* outgoing frames begun and not ended */
	uint8_t scratch[65536 + 64];
	uint8_t *op_memory;
	unsigned int noticed;
};

/* The default configuration, every offload on, MTU 1500. */
struct shard *fake_shard_create(void);

/* Frees everything; fails the test if a reservation was left open. */
void fake_shard_destroy(struct shard *shard);

/**
 * fake_input() - The guest transmits a frame
 * @data:	From the Ethernet header on; copied, cut in two at @split bytes
 *		(0: one piece)
 * @offload:	May be NULL for none
 * @open:	Called for a frame of no flow: tcp_open, udp_open, icmp_open
 *
 * Finds the flow by the same key as the real shard. Return: what @open said, -1
 * otherwise
 */
int fake_input(struct shard *shard, const void *data, size_t length,
	       size_t split, const struct port_offload *offload,
	       int (*open)(struct shard *shard, const struct flow_key *key,
			   struct packet *packet));

/* Copy a frame as fake_input() does, for functions that take a packet: parsed
 * to its IP payload. */
void fake_parse(struct shard *shard, const void *data, size_t length,
		size_t split, const struct port_offload *offload,
		struct packet *packet);

/* Finish the turn, with what is ready on sockets at this moment. */
void fake_turn(struct shard *shard);

/* The same, but wait for a socket to be ready first, 2 s at the most. Return:
 * false at the time-out */
bool fake_wait(struct shard *shard);

/* Let time pass in steps of 1 ms, a turn in each. */
void fake_advance(struct shard *shard, uint64_t ms);

/* Next captured frame, NULL if there is none. */
const struct fake_frame *fake_next(struct shard *shard);

/* Forget captured frames. */
void fake_drop_frames(struct shard *shard);

/* Flows that are not dead. */
unsigned int fake_flows_live(const struct shard *shard);

#endif
