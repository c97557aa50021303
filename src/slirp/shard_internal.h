/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_SHARD_INTERNAL_H
#define MQVMM_SLIRP_SHARD_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <urcu/rculfhash.h>
#include <urcu/wfcqueue.h>

#include "base/switches.h"
#include "sched/poll.h"
#include "slirp/limits.h"
#include "slirp/shard.h"

/*
 * What the files of the shard itself share: shard.c (the loop), shard_batch.c
 * (operations), outgoing.c, handoff.c, flow.c, pool.c and slirp.c (all shards).
 * Protocols include shard.h only.
 */

#define CACHE_LINE 64 /* bytes; two shards never write to one line */

/* What is from @first up to @next shares no line with the rest of @type. */
#define OWN_LINES(type, first, next)                                          \
	_Static_assert(offsetof(struct type, first) % CACHE_LINE == 0 &&      \
			       offsetof(struct type, next) % CACHE_LINE == 0, \
		       #type "." #first " has lines of its own")

#define SHARD_FRAMES_MAX 64  /* frames taken from the port in a turn */
#define SHARD_OPS_MAX    128 /* operations in a batch */
#define SHARD_EVENTS_MAX 64  /* readiness events in a turn */
#define SHARD_ROUNDS_MAX 8   /* acknowledge-and-receive rounds in a turn */

#define POOL_SOCKETS_MAX 32   /* TCP sockets made in advance */
#define POOL_KEEPS       2048 /* small replies kept for retransmission */
#define POOL_HOLDS       128  /* segments that came before their turn */

#define HANDOFF_SMALL_SIZE  2048 /* bytes of frame */
#define HANDOFF_SMALL_COUNT 512
#define HANDOFF_LARGE_COUNT 48
#define HANDOFF_RESERVED    8 /* large ones that only transmitted frames get */

/* What an engine token's top byte says its rest is. */
enum token_type {
	TOKEN_KICK = 1,
	TOKEN_WAKE,
	TOKEN_LISTENER,
	TOKEN_FLOW,
};

#define TOKEN(type, rest) ((uint64_t)(type) << 56 | (rest))

enum message_kind {
	MESSAGE_TX,   /* a frame from the guest, for the flow's owner */
	MESSAGE_RX,   /* one from the flow's owner, for the guest's queue */
	MESSAGE_MOVE, /* of a flow that moves: move.h */
};

/**
 * struct message - What travels from one shard to another begins with it
 * @node:	In the receiver's inbox, or the source's returns
 * @kind:	What it is
 * @ready:	Written last by the sender, read first by the receiver: pairs
 *		with the load in handoff_receive()
 */
struct message {
	struct cds_wfcq_node node;
	enum message_kind kind;
	uint32_t ready;
};

/**
 * struct handoff - A frame on its way from one shard to another
 * @next:	In the source's free list or a shard's private list
 * @source:	Shard whose pool it goes back to
 * @large:	Of the source's large pool
 * @queue:	MESSAGE_TX: queue that the guest transmitted on
 * @reassembled: MESSAGE_TX: as in struct port_frame
 * @length:	Of @data, bytes
 */
struct handoff {
	struct message message;
	struct handoff *next;
	struct shard *source;
	bool large;
	bool reassembled;
	unsigned int queue;
	size_t length;
	struct port_offload offload;
	uint8_t data[];
};

/* An inbox: any shard appends, the owner takes all. */
struct handoff_queue {
	struct __cds_wfcq_head head __attribute__((aligned(CACHE_LINE)));
	struct cds_wfcq_tail tail __attribute__((aligned(CACHE_LINE)));
};

struct index_entry {
	uint32_t hash;
	uint32_t slot; /* plus one; 0 is empty */
};

/* Flows of a class, the one that has been idle for longest first. */
struct flow_list {
	uint32_t first; /* slot plus one, as in struct flow */
	uint32_t last;
	uint32_t count;
};

/* An operation to run on the shard's thread, from slirp_call_shard(). */
struct shard_call {
	void (*call)(void *context);
	void *context;
	sem_t done;
};

/* Operations that run together. */
struct shard_batch {
	struct shard_op op[SHARD_OPS_MAX];
	unsigned int count;
};

/* TCP sockets of one family that wait for a flow; @wanted once one was. */
struct socket_pool {
	int sock[POOL_SOCKETS_MAX];
	struct shard_ports ports[POOL_SOCKETS_MAX];
	unsigned int count;
	bool wanted;
};

struct forward;
struct forward_table;
struct move;

struct shard {
	/* Other shards write here. */
	struct handoff_queue inbox;
	struct handoff_queue returns;

	/* Other shards read here, for each frame that they hand over. */
	uint32_t starving __attribute__((
		aligned(CACHE_LINE))); /* waits for a buffer to come back */
	int wake_fd;

	/* The front end's threads write here. */
	struct shard_call *call __attribute__((
		aligned(CACHE_LINE))); /* exchanged with slirp_call_shard() */
	bool stop;

	/* The rest is the shard's own. */
	struct slirp *slirp __attribute__((aligned(CACHE_LINE)));
	unsigned int index;
	struct switches switches; /* read by who prints counters */
	struct port *port;
	struct port_features features;
	struct engine *engine;
	uint64_t syscalls_seen;
	uint64_t now_us;
	bool more; /* work is left for the next turn */
	struct poll poll;
	unsigned int input_queue;
	struct timer_wheel timers;
	struct timer router; /* the first shard's: ndp_run_router() */

	struct port_frame frame[SHARD_FRAMES_MAX];
	unsigned int frame_count;
	struct port_frame handed; /* one of another shard, while processed */
	struct handoff *handing;  /* what it is in, until it is passed on */

	struct shard_batch batch[2];
	unsigned int queueing; /* which of the two takes new operations */
	bool finishing;        /* done() of the other one's are called */

	struct flow *ack_first, **ack_last;
	struct flow *stall_first, **stall_last;

	uint8_t *slab;      /* flows_max slots of FLOW_SLOT_SIZE */
	uint32_t slab_used; /* slots that were ever used */
	uint32_t live;
	uint32_t limbo; /* slots freed, not to be used yet */
	struct limits_share share;
	struct flow_list idle[FLOW_CLASSES];
	bool short_of_files; /* a socket was refused: somebody must go */
	struct flow *free_first;
	struct flow *limbo_first, **limbo_last;
	struct index_entry *index_table;
	uint32_t index_mask;

	struct handoff *small_free, *large_free;
	unsigned int large_count;
	struct handoff *held; /* processed, given back at the turn's end */
	struct handoff *backlog_first, **backlog_last; /* MESSAGE_RX */
	void *handoff_memory;
	size_t handoff_memory_size;

	struct move *moves;      /* MOVES_MAX, NULL for a single shard */
	unsigned int moves_busy; /* of these */
	struct timer mover;      /* time to look at them */
	unsigned int swept_queues;
	uint32_t sweep_slot;
	uint64_t sweep_us; /* when the next sweep begins */

	struct socket_pool pool[2];    /* IPv4, IPv6 */
	struct shard_ports host_ports; /* when the shard was made */
	uint32_t port_first, port_span, port_next;
	uint8_t *keep_memory;
	void *keep_free;
	uint32_t keep_used;
	uint8_t *hold_memory;
	void *hold_free;
	uint32_t hold_used;
	uint8_t *scratch;
	uint8_t *op_memory; /* a buffer for each operation of a batch */

	struct dns_cache *dns_cache;
	struct udp_filter *udp_filter;
	struct reassembly *reassembly;
	struct pcap_ring *pcap;      /* NULL while no capture runs */
	struct resolvers *resolvers; /* slirp->resolvers, for this turn */

	struct forward *forward[SLIRP_FORWARDS_MAX]; /* that it serves */
	uint64_t forward_retry_us;   /* to accept what waits; 0: nothing does */
	unsigned int forward_queues; /* that connections are steered to */

	pthread_t thread;
	bool started;
	int start_result;
	struct fail start_fail;
	sem_t start_done;
	uint32_t (*place)(void *context, unsigned int shard);
	void *place_context;
	uint32_t place_poll_us; /* how long it may poll there */

	struct shard_counters counters __attribute__((aligned(CACHE_LINE)));
};

OWN_LINES(shard, inbox, returns);
OWN_LINES(shard, returns, starving);
OWN_LINES(shard, starving, call);
OWN_LINES(shard, call, slirp);
OWN_LINES(shard, slirp, counters);

/* Grace periods, made by one thread for all shards (grace.c). */
struct grace {
	uint64_t started;   /* stored by the grace thread, read by shards */
	uint64_t completed; /* the same */
	int wake_fd;
	bool stop;
	bool running;
	pthread_t thread;
	uint32_t wanted __attribute__((
		aligned(CACHE_LINE))); /* a shard has flows in limbo; atomic */
};

OWN_LINES(grace, started, wanted);

/* Flows stay where they are while some are listed (inspect.c, move.c). */
struct move_pause {
	uint64_t until_us;      /* CLOCK_MONOTONIC; atomic */
	unsigned int under_way; /* flows between two shards; atomic */
	unsigned int listings;  /* under settings_lock */
};

struct slirp {
	/* Every shard reads it for each frame; hardly anybody writes it. */
	struct slirp_config config;
	struct shard **shard;
	struct cds_lfht *table;
	uint64_t secret[4];
	struct slirp_policy *policy; /* exchanged in settings.c, RCU */
	struct resolvers *resolvers; /* stored in settings.c, RCU */
	unsigned int queues;         /* pairs in use; atomic */
	struct forward_table *forwards;
	bool udp_forwards; /* one has ever been there; atomic */
	const char *engine_name;
	unsigned int noticed; /* a bit per enum shard_notice; atomic */

	/* The front end's threads'. */
	pthread_mutex_t settings_lock __attribute__((
		aligned(CACHE_LINE))); /* writers of @policy, @limits_set */
	struct slirp_limits limits_set;
	pthread_mutex_t call_lock; /* callers of slirp_call_shard(), no shard */
	struct pcap *pcap;         /* of slirp_pcap_start(), no shard's */

	/* Shards write to these, though not for each frame. */
	struct limits limits __attribute__((aligned(CACHE_LINE)));
	struct move_pause move_pause __attribute__((aligned(CACHE_LINE)));
	struct grace grace __attribute__((aligned(CACHE_LINE)));
};

OWN_LINES(slirp, settings_lock, limits);
OWN_LINES(slirp, limits, move_pause);
OWN_LINES(slirp, move_pause, grace);

/* shard.c: the loop */
int shard_create(struct slirp *slirp, unsigned int index, struct port *port,
		 struct shard **out, struct fail *fail);
void shard_destroy(struct shard *shard);
int shard_start(struct shard *shard, struct fail *fail);
void shard_stop(struct shard *shard);
void shard_wake(struct shard *shard);
uint64_t shard_clock_us(void); /* CLOCK_MONOTONIC */
/*
 * What the shard's thread does, in pieces: begin, then turns, each with what
 * engine_wait() told and followed by what nobody waits for, and the end. A test
 * may be that thread. shard_begin() returns 0, or negative errno with
 * start_fail filled.
 */
int shard_begin(struct shard *shard);
void shard_turn(struct shard *shard, const struct engine_event *event,
		unsigned int events);
void shard_tidy(struct shard *shard);
void shard_end(struct shard *shard);
/* One frame of the guest's, own or handed over; @queue it came in on. */
void shard_input(struct shard *shard, const struct port_frame *frame,
		 unsigned int queue);

/* shard_poll.c */
void shard_begin_polling(struct shard *shard);
/* Nothing is left to do: spin for a while, if that is worth it. Return: true if
 * work came */
bool shard_poll(struct shard *shard);

/* shard_batch.c */
/* Run the batch now if FLOW_OPS_MAX more operations might not fit. */
void shard_make_room(struct shard *shard);
/* Resume stalled flows, and those with acknowledgements due, in rounds. */
void shard_run_acks(struct shard *shard);
void shard_run_stalled(struct shard *shard);

/* flow.c */
int flow_setup(struct shard *shard, struct fail *fail);
void flow_teardown(struct shard *shard);
/* Whatever is in a slot below slab_used: a flow if it has ops and is not dead.
 */
struct flow *flow_in_slot(const struct shard *shard, uint32_t slot);
struct flow *flow_at(struct shard *shard, uint32_t slot, uint32_t generation);
void flow_reclaim(struct shard *shard);
void flow_abort_all(struct shard *shard);

/* What moving takes (move.c): a slot for a flow that is another shard's yet.
 * Return: the slot, dead; NULL if there are few left */
struct flow *flow_reserve(struct shard *shard, const struct flow_key *key,
			  const struct flow_ops *ops);
/* It stays away; @listed: the table has the slot. */
void flow_unreserve(struct shard *shard, struct flow *place, bool listed);
/* It has come: make the slot what @from is, a copy of another shard's. */
void flow_arrive(struct shard *shard, struct flow *place,
		 const struct flow *from);
/* It leaves: forget it, but for its socket and its places. */
void flow_depart(struct shard *shard, struct flow *flow);

/* flow_table.c: which shard owns a key */
int flow_table_create(struct slirp *slirp, struct fail *fail);
void flow_table_destroy(struct slirp *slirp);
uint32_t flow_hash(const struct slirp *slirp, const struct flow_key *key);
bool flow_key_equal(const struct flow_key *a, const struct flow_key *b);
/* Return: @flow, or the one that has its key already */
struct flow *flow_table_add(struct shard *shard, struct flow *flow);
void flow_table_remove(struct shard *shard, struct flow *flow);
/* Others find @place instead of @flow from now on. */
void flow_table_replace(struct shard *shard, struct flow *flow,
			struct flow *place);

/* flow_admit.c: who gets a flow, and who gives way */
/* May @shard have one more? Return: false, counted, if not */
bool flow_admit(struct shard *shard, uint8_t protocol);
/* It did not come to be after all. */
void flow_dismiss(struct shard *shard, uint8_t protocol);
/* It needs its place no more. */
void flow_end(struct shard *shard, struct flow *flow);
void flow_idle_add(struct shard *shard, struct flow *flow);
/* One of another shard, with its class. */
void flow_idle_adopt(struct shard *shard, struct flow *flow);
void flow_idle_remove(struct shard *shard, struct flow *flow);
/* The guest said something in it. */
void flow_touch(struct shard *shard, struct flow *flow);
/* The host's side did. */
void flow_hear(struct shard *shard, struct flow *flow);
/* End a flow that has been idle for long enough. Return: false if none has */
bool flow_evict(struct shard *shard);

/* handoff.c */
int handoff_setup(struct shard *shard, struct fail *fail);
void handoff_teardown(struct shard *shard);
bool handoff_has_room(const struct shard *shard);
/* Ask to be woken when a buffer comes back, before sleeping without room. */
void handoff_starve(struct shard *shard);
/* Copy a frame of the guest's to its flow's owner. */
void handoff_frame(struct shard *shard, unsigned int owner,
		   const struct port_frame *frame, unsigned int queue);
/* The same, but keep it: the buffer that it came in, or a copy. Return: NULL,
 * counted, if there is no buffer */
struct handoff *handoff_keep(struct shard *shard,
			     const struct port_frame *frame,
			     unsigned int queue);
/* Treat a frame of another shard's as if our own port had brought it. */
void handoff_input(struct shard *shard, struct handoff *handoff);
struct handoff *handoff_take(struct shard *shard, size_t length, bool reserve);
void handoff_put(struct shard *shard, struct handoff *handoff);
void handoff_send(struct shard *shard, unsigned int to,
		  struct handoff *handoff);
void message_send(struct shard *shard, unsigned int to,
		  struct message *message);
/* Take in what other shards sent; give processed buffers back. */
void handoff_receive(struct shard *shard);
void handoff_release(struct shard *shard);

/* pool.c */
int pool_setup(struct shard *shard, struct fail *fail);
void pool_teardown(struct shard *shard);
void pool_refill(struct shard *shard);

/* grace.c */
int grace_start(struct slirp *slirp, struct fail *fail);
void grace_stop(struct slirp *slirp);
/* Tag for what is removed now; it may be reused once grace_passed() */
uint64_t grace_tag(struct slirp *slirp);
bool grace_passed(const struct slirp *slirp, uint64_t tag);
/* Have a grace period made soon. */
void grace_want(struct slirp *slirp);

/* settings.c: what changes while shards run */
int settings_setup(struct slirp *slirp, struct fail *fail);
void settings_teardown(struct slirp *slirp);
/* Take over the resolvers that the host has now, if the guest is to have those.
 * @watch: what told of a change, closed here, or -1. Return: a descriptor that
 * becomes readable at the next change, or negative */
int settings_follow(struct slirp *slirp, int watch);

/* pcap.c: a frame passes the shard's port; only with shard->pcap */
void pcap_note(struct shard *shard, const struct iovec *iov, unsigned int count,
	       size_t length, bool to_guest);

/* forward.c: the table of forwards, from those of the configuration on */
int forward_open(struct slirp *slirp, struct fail *fail);
void forward_close(struct slirp *slirp);
/* Log which ports the host has chosen. */
void forward_report(const struct slirp *slirp);

/* forward_serve.c */
void forward_begin_all(struct shard *shard);
/* A listener is ready: @token is what follows TOKEN_LISTENER. */
void forward_accept(struct shard *shard, uint32_t token);
/* Accept what waited for descriptors, once its time has come; how long a shard
 * may sleep that has to do so. */
void forward_retry(struct shard *shard);
int64_t forward_patience(const struct shard *shard, int64_t patience_us);
/* Between turns: follow the number of queues in use. */
void forward_tidy(struct shard *shard);

#endif
