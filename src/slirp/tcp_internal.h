/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_TCP_INTERNAL_H
#define MQVMM_SLIRP_TCP_INTERNAL_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "slirp/flow.h"
#include "slirp/protocols.h"
#include "slirp/shard.h"

/*
 * What the files of TCP share. Each is named for its duty: tcp.c (states),
 * tcp_open.c (beginnings), tcp_refuse.c (none), tcp_close.c (ends), tcp_hold.c
 * (segments out of order), tcp_segment.c and tcp_frame.c (reading and writing
 * headers), tcp_input.c (what the guest's segments mean), tcp_ack.c (what they
 * acknowledge), tcp_dns.c (which resolver is asked), tcp_push.c (guest's data
 * to the host socket), tcp_pull.c (host socket's data to the guest),
 * tcp_discard.c (what leaves that socket), tcp_output.c (segments to the
 * guest), tcp_window.c (what the guest may send), tcp_timer.c.
 *
 * "rcv" and "snd" are as in RFC 9293 3.3.1, seen from here: rcv is what the
 * guest sends, snd is what we send to the guest.
 */

enum tcp_state {
	TCP_STATE_CONNECTING,   /* guest's SYN is here, the host connects */
	TCP_STATE_SYN_RECEIVED, /* host connected, guest was sent SYN-ACK */
	TCP_STATE_SYN_SENT,     /* host was accepted, guest was sent SYN */
	TCP_STATE_ESTABLISHED,  /* data flows both ways */
	TCP_STATE_CLOSE_WAIT,   /* guest's FIN was passed on, host may send */
	TCP_STATE_FIN_WAIT_1,   /* host's FIN was passed on, not acknowledged */
	TCP_STATE_FIN_WAIT_2,   /* the same, acknowledged; guest may send */
	TCP_STATE_CLOSING,      /* both FINs are out, ours not acknowledged */
	TCP_STATE_LAST_ACK,     /* the same, the guest's came first */
	TCP_STATE_TIME_WAIT,    /* over; late segments are known for its own */
	TCP_STATE_RESET,        /* over; the guest is yet to be told by RST */
	TCP_STATES
};

#define TCP_HEADERS_MAX  74     /* Ethernet, IPv6, TCP without options, bytes */
#define TCP_OPTIONS_MAX  8      /* bytes of options that we send */
#define TCP_SCALE        8      /* our window scale: windows up to 16 MiB */
#define TCP_HINT_MIN     2048U  /* first receive, bytes: a small reply */
#define TCP_HINT_MAX     65536U /* receive of a bulk transfer, bytes */
#define TCP_RTO_FIRST_MS 1000   /* RFC 6298, 2.1 */
#define TCP_KEEP_MS      60000  /* older connections have SO_KEEPALIVE */
#define TCP_DUP_ACKS     3      /* RFC 5681, 3.2 */

/**
 * struct tcp_segment - A segment from the guest, read once
 * @window:	As in the header, not scaled
 * @length:	Of the payload, bytes
 * @flags:	TH_*
 * @scale:	Window scale option of a SYN, -1 if absent
 * @mss:	MSS option of a SYN, 0 if absent
 * @payload:	Where it is in the frame
 */
struct tcp_segment {
	uint32_t seq;
	uint32_t ack;
	uint32_t window;
	uint32_t length;
	uint8_t flags;
	int8_t scale;
	uint16_t mss;
	struct cursor payload;
};

struct tcp_held;

/**
 * struct tcp_flow - One connection of the guest's, spliced to a host socket
 *
 * Guest to host:
 * @rcv_nxt:	The host socket has taken everything below
 * @rcv_queued:	Everything below is taken, or queued for this turn's send
 * @rcv_edge:	Right edge of what the guest may send
 * @rcv_told:	Right edge that the guest was last told
 * @rcv_acked:	Acknowledged to the guest
 * @irs:	Initial sequence number of the guest's
 * @rcv_granted: Window at the last look at the socket's buffer, bytes
 * @send_op:	Queued send that further segments of this turn join
 * @held:	Segments that came before their turn, by sequence number
 * @held_sent:	Of these, what @send_op reads
 * @held_count:	Of both
 *
 * Host to guest:
 * @iss:	Initial sequence number
 * @snd_una, @snd_nxt, @snd_wnd, @snd_wl1, @snd_wl2: RFC 9293, 3.3.1
 * @snd_max:	Highest that was ever sent; snd_nxt goes back to retransmit
 * @snd_wnd_max: Largest window that the guest ever had
 * @sock_seq:	First byte that is still in the host socket. Those below that
 *		are not acknowledged are in @keep.
 * @peek_seq:	Where the socket's peek offset stands
 * @fin_seq:	Sequence number of our FIN, once @host_eof
 * @recover:	No second fast retransmit before this is acknowledged
 * @keep:	Small replies, already consumed: the @keep_length bytes before
 *		@sock_seq
 * @keep_op:	Receive into @keep that is queued
 * @hint:	How much the next receive should ask for, bytes
 * @pulls:	Receives that are queued
 *
 * Steering:
 * @queue:	Receive queue that segments to the guest go to
 * @strays:	Segments in a row that came from another queue
 *
 * Of a connection to the DNS address:
 * @resolver:	Whom it goes to
 * @resolvers_tried: A bit for each so far
 *
 * Clocks, milliseconds of the shard's clock, 0 when off:
 * @ack_due:	The latest time for a delayed acknowledgement
 * @gap_due:	Ask for what is missing before @held
 * @resend_due:	Retransmission, window probe or SYN again; while connecting to
 *		a resolver, the end of the patience with it
 * @life_due:	The flow ends, or the guest is asked whether it is there, if it
 *		says nothing; never off
 * @keep_due:	The connection is a lasting one: have the host's kernel look
 *		whether its peer is there
 *
 * Flags:
 * @readable:	The socket may have data: edge-triggered, so remembered
 * @drain:	A short read does not mean that nothing is left
 * @host_eof:	The host's FIN has been read
 * @broken:	The host does not take data any more: reset after its last
 * @fin_queued:	The guest's FIN comes after what is queued
 * @blocked:	The socket took less than was sent
 * @dropped:	... and the guest has sent more since
 * @writable_watched: Told when the socket has room again
 * @watched:	The engine knows the socket
 * @ack_now:	Acknowledge at the turn's end
 * @syn_due:	SYN or SYN-ACK is to be sent
 * @discarding:	ENGINE_DISCARD is queued
 * @peeks:	SO_PEEK_OFF is on
 * @may_meet_itself: Until it is connected: the host's kernel may choose the
 *		port that it goes to as its own
 * @local:	The host socket is a unix one: see tcp_local.c
 * @no_peek_off: The host's kernel has none for TCP (before Linux 6.9)
 * @asked:	The guest, so often, whether it is there
 * @rtt_timed:	A round trip is being timed
 * @dups_due:	Duplicate acknowledgements to send
 */
struct tcp_flow {
	struct flow flow;

	uint32_t rcv_nxt;
	uint32_t rcv_queued;
	uint32_t rcv_edge;
	uint32_t rcv_told;
	uint32_t rcv_acked;
	uint32_t irs;
	uint32_t rcv_granted;
	struct shard_op *send_op;
	struct tcp_held *held;
	struct tcp_held *held_sent;
	uint16_t held_count;

	uint32_t iss;
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_max;
	uint32_t snd_wnd;
	uint32_t snd_wl1;
	uint32_t snd_wl2;
	uint32_t snd_wnd_max;
	uint32_t sock_seq;
	uint32_t peek_seq;
	uint32_t fin_seq;
	uint32_t recover;
	uint8_t *keep;
	struct shard_op *keep_op;
	uint32_t keep_length;
	uint32_t hint;
	uint16_t mss;

	uint16_t queue;
	uint8_t strays;
	uint8_t state; /* enum tcp_state */
	uint8_t rcv_scale;
	uint8_t snd_scale;
	uint8_t pulls;
	uint8_t dups_due;
	uint8_t dup_acks;
	uint8_t retries;
	uint8_t asked;
	uint8_t resolver;
	uint8_t resolvers_tried;

	bool readable : 1;
	bool drain : 1;
	bool host_eof : 1;
	bool broken : 1;
	bool fin_queued : 1;
	bool blocked : 1;
	bool dropped : 1;
	bool writable_watched : 1;
	bool watched : 1;
	bool ack_now : 1;
	bool syn_due : 1;
	bool discarding : 1;
	bool peeks : 1;
	bool no_peek_off : 1;
	bool may_meet_itself : 1;
	bool local : 1;
	bool rtt_timed : 1;

	uint32_t rto_ms;
	uint32_t srtt_us;
	uint32_t rttvar_us;
	uint32_t rtt_seq;
	uint64_t rtt_start_us;
	uint64_t ack_due;
	uint64_t gap_due;
	uint64_t resend_due;
	uint64_t life_due;
	uint64_t keep_due;
};

_Static_assert(sizeof(struct tcp_flow) <= FLOW_SLOT_SIZE,
	       "a TCP flow fits its slot");

static inline struct tcp_flow *tcp_of(struct flow *flow)
{
	return (struct tcp_flow *)flow;
}

/* Return: how far @a is behind @b in sequence space; negative if before */
static inline int32_t tcp_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Our FIN has been sent, at least once. */
static inline bool tcp_fin_sent(const struct tcp_flow *tcp)
{
	return tcp->host_eof && tcp->snd_max == tcp->fin_seq + 1;
}

/* Where the data ends that was ever sent, without a FIN. */
static inline uint32_t tcp_data_max(const struct tcp_flow *tcp)
{
	return tcp_fin_sent(tcp) ? tcp->fin_seq : tcp->snd_max;
}

/* It has no socket any more. */
static inline bool tcp_is_over(const struct tcp_flow *tcp)
{
	return tcp->flow.dead || tcp->state >= TCP_STATE_TIME_WAIT;
}

/* tcp_segment.c */

/**
 * tcp_segment_parse() - Read the header, and the options of a SYN
 *
 * Return: true, false for a malformed one (RFC 9293, 3.1)
 */
bool tcp_segment_parse(const struct packet *packet,
		       struct tcp_segment *segment);

/* tcp_frame.c */

/* Ethernet, IP and TCP header without options towards the guest, bytes. */
size_t tcp_headers(const struct tcp_flow *tcp);

/* The same without Ethernet: what MTU and MSS differ by. */
static inline uint32_t tcp_ip_headers(const struct tcp_flow *tcp)
{
	return (uint32_t)(tcp_headers(tcp) - sizeof(struct ether_header));
}

/**
 * struct tcp_frame - What the headers of a frame to the guest say
 * @key:	The flow's; peer is the sender
 * @window:	As it goes into the header
 * @options_length: Bytes of @options, a multiple of four
 * @length:	Of the payload, bytes
 * @sum:	Checksum of the payload so far; only used where the guest does
 *		not take partial checksums
 * @mss:	Payload above this is left to the guest's side to segment
 */
struct tcp_frame {
	const struct flow_key *key;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint8_t flags;
	uint8_t options_length;
	uint8_t options[TCP_OPTIONS_MAX];
	size_t length;
	uint32_t sum;
	uint16_t mss;
};

/**
 * tcp_frame_write() - Make Ethernet, IPv4 and TCP header
 * @header:	TCP_HEADERS_MAX + TCP_OPTIONS_MAX bytes
 * @offload:	For outgoing_commit()
 *
 * Return: bytes of header
 */
size_t tcp_frame_write(const struct shard *shard, const struct tcp_frame *frame,
		       uint8_t *header, struct port_offload *offload);

/* tcp.c */

/* Is a silence of config->tcp_idle_s usual in its state? */
bool tcp_may_idle(const struct tcp_flow *tcp);

void tcp_set_state(struct shard *shard, struct tcp_flow *tcp,
		   enum tcp_state state);

/* Return: the state's name, for people */
const char *tcp_state_name(enum tcp_state state);

/* The guest is there: note the time. */
void tcp_touch(struct shard *shard, struct tcp_flow *tcp);

/* Ask the engine for readiness, ENGINE_* bits. */
void tcp_watch(struct shard *shard, struct tcp_flow *tcp, unsigned int ready);

/* tcp_close.c */

/* Have the socket's close send RST. */
void tcp_linger(struct shard *shard, int sock);

/**
 * tcp_finish() - Both sides have ended
 *
 * Closes the socket. The flow stays for a while, to tell late segments of it
 * from those of no connection, and to acknowledge the guest's FIN again.
 */
void tcp_finish(struct shard *shard, struct tcp_flow *tcp);

/* The guest reset, so the host's peer is reset; the flow is gone. */
void tcp_reset_host(struct shard *shard, struct tcp_flow *tcp);

/* The host failed, so the guest is reset: at once, and the flow is gone, or
 * when it has receive space. */
void tcp_reset_guest(struct shard *shard, struct tcp_flow *tcp);

/* The guest has begun something else on its port: the flow is gone, and the
 * host's peer reset unless the guest had ended in order. */
void tcp_drop(struct shard *shard, struct tcp_flow *tcp);

/* The same, and the guest is reset. */
void tcp_abort(struct shard *shard, struct flow *flow);

/* tcp_input() and tcp_output() of a flow that is over. */
void tcp_close_input(struct shard *shard, struct tcp_flow *tcp,
		     const struct tcp_segment *segment, struct packet *packet);
void tcp_close_output(struct shard *shard, struct tcp_flow *tcp);

/* tcp_refuse.c */

/* Answer a segment that belongs to no flow with RST (RFC 9293, 3.5.2). */
void tcp_refuse(struct shard *shard, const struct flow_key *key,
		const struct tcp_segment *segment);

/* A SYN does not become a flow; @err: positive errno, what it is that lacks */
void tcp_refuse_open(struct shard *shard, const struct flow_key *key,
		     const struct tcp_segment *syn, const struct packet *packet,
		     int err);

/* The host's connect() failed with @err: ends the flow. */
void tcp_refuse_connect(struct shard *shard, struct tcp_flow *tcp, int err);

/* tcp_open.c, beside tcp_open() and tcp_accept() of protocols.h */

/* Take over MSS, window scale and window of the guest's SYN or SYN-ACK. */
void tcp_negotiate(struct shard *shard, struct tcp_flow *tcp,
		   const struct tcp_segment *syn);

/* The socket that connects says that something has come of it. */
void tcp_open_event(struct shard *shard, struct tcp_flow *tcp);

/* While it connects: its resend_due has come. */
void tcp_open_hurry(struct shard *shard, struct tcp_flow *tcp);

/* tcp_dns.c */

/* Is it the DNS address's port 53? */
bool tcp_dns_is(const struct shard *shard, const struct flow_key *key);

/**
 * tcp_dns_choose() - Which resolver a connection goes to
 * @tried:	A bit for each that is out of question
 * @host:	The resolver
 *
 * Return: false if there is none
 */
bool tcp_dns_choose(const struct shard *shard, unsigned int tried,
		    struct slirp_endpoint *host);

/* A flow begins to connect to @host: note it if that is a resolver. */
void tcp_dns_begin(struct shard *shard, struct tcp_flow *tcp,
		   const struct slirp_endpoint *host);

/**
 * tcp_dns_next() - A connection failed, or takes long
 * @host:	The resolver to try instead
 *
 * Return: false if there is none, or it did not go to a resolver
 */
bool tcp_dns_next(struct shard *shard, struct tcp_flow *tcp,
		  struct slirp_endpoint *host);

/* The flow's connection stands. */
void tcp_dns_answered(struct shard *shard, struct tcp_flow *tcp);

/* tcp_input.c */

void tcp_input(struct shard *shard, struct flow *flow, struct packet *packet);

/* tcp_ack.c */

/**
 * tcp_ack() - Take in a segment's acknowledgement and window
 *
 * Return: true to go on with the segment, false to drop it or if the flow ended
 */
bool tcp_ack(struct shard *shard, struct tcp_flow *tcp,
	     const struct tcp_segment *segment);

/* What ends at snd_nxt was sent, for the first time (@fresh) or again: start
 * the clocks. */
void tcp_ack_expect(struct shard *shard, struct tcp_flow *tcp, bool fresh);

/* Send again from snd_una on (go-back-N). */
void tcp_rewind(struct tcp_flow *tcp);

/* tcp_push.c */

/**
 * tcp_push() - In-order payload goes to the host socket
 *
 * Joins the send that the turn has queued already. May run the batch; the flow
 * may be over afterwards.
 */
void tcp_push(struct shard *shard, struct tcp_flow *tcp,
	      const struct tcp_segment *segment);

/* The guest's FIN is in order and all data before it was taken. */
void tcp_push_fin(struct shard *shard, struct tcp_flow *tcp);

/* The socket may have room. */
void tcp_push_writable(struct shard *shard, struct tcp_flow *tcp);

/* tcp_hold.c */

/**
 * tcp_hold() - Keep a copy of a segment that came before its turn
 *
 * Return: true, or false if there is no memory for it
 */
bool tcp_hold(struct shard *shard, struct tcp_flow *tcp,
	      const struct tcp_segment *segment);

/* Its payload may be pushed now. Return: false if there is no such segment */
bool tcp_hold_next(struct tcp_flow *tcp, struct tcp_segment *segment,
		   struct iovec *iov);

/* The segment of tcp_hold_next() was pushed, or dropped. */
void tcp_hold_pushed(struct shard *shard, struct tcp_flow *tcp);

/* The queued send has run. */
void tcp_hold_sent(struct shard *shard, struct tcp_flow *tcp);

/* The flow ends. */
void tcp_hold_free(struct shard *shard, struct tcp_flow *tcp);

/* tcp_pull.c */

/* Queue receives for what the guest may be sent. */
void tcp_pull(struct shard *shard, struct tcp_flow *tcp);

/* The guest has acknowledged more: give the keep buffer back if it can be. */
void tcp_pull_release(struct shard *shard, struct tcp_flow *tcp);

/* How much the guest's window allows from snd_nxt on, bytes. */
uint32_t tcp_pull_room(const struct tcp_flow *tcp);

/* Longest payload of one frame, bytes. */
uint32_t tcp_pull_frame_max(const struct shard *shard,
			    const struct tcp_flow *tcp);

/* tcp_discard.c */

#define TCP_DISCARD_MAX (4U * 65536U) /* bytes that one receive may drop */

/* Point @iov at memory that nobody reads. Return: entries for @bytes */
unsigned int tcp_discard_iov(struct shard *shard, uint32_t bytes,
			     struct iovec *iov);

/* Have what is acknowledged leave the socket, if it is worth an operation. */
void tcp_discard(struct shard *shard, struct tcp_flow *tcp);

/* Everything that is acknowledged leaves the socket now, by system call. */
void tcp_discard_all(struct shard *shard, struct tcp_flow *tcp);

/* tcp_output.c */

/* Send all that is due: SYN, data, FIN, acknowledgements; arm the timer. */
void tcp_output(struct shard *shard, struct tcp_flow *tcp);

/* The part that comes after receives are done. */
void tcp_output_rest(struct shard *shard, struct tcp_flow *tcp);

/**
 * tcp_emit() - Send one segment from plain memory
 * @data:	@length bytes of payload, may be NULL with 0
 *
 * Return: 0, or -ENOBUFS with the flow stalled
 */
int tcp_emit(struct shard *shard, struct tcp_flow *tcp, uint32_t seq,
	     uint8_t flags, const void *data, size_t length);

/* Commit a receive straight into the guest's space: @length bytes arrived. */
void tcp_emit_received(struct shard *shard, struct tcp_flow *tcp,
		       struct outgoing *out, uint32_t seq, size_t length);

/* tcp_window.c */

/* Begin with the window that a SYN can tell. */
void tcp_window_init(struct shard *shard, struct tcp_flow *tcp);

/* Look at the socket's send buffer if the window is used up by half. */
void tcp_window_refresh(struct shard *shard, struct tcp_flow *tcp);

/* Look at it in any case. */
void tcp_window_query(struct shard *shard, struct tcp_flow *tcp);

/* Is the guest to be told of a wider window? */
bool tcp_window_worth_telling(const struct tcp_flow *tcp);

/* The header's window field; what it says is noted in rcv_told. */
uint16_t tcp_window_tell(struct tcp_flow *tcp, bool syn);

/* tcp_local.c */

/**
 * tcp_local_connect() - Connect to a unix stream socket
 *
 * Return: a connected socket, or negative errno: -EAGAIN if its listener has
 * too many that wait
 */
int tcp_local_connect(struct shard *shard, const char *path);

/* The part of tcp_discard_all() for these: take @size bytes off the socket. */
void tcp_local_drain(struct shard *shard, struct tcp_flow *tcp, uint32_t size);

/* tcp_timer.c */

void tcp_timer(struct shard *shard, struct flow *flow);

/* Set the flow's timer to the earliest of its deadlines. */
void tcp_timer_arm(struct shard *shard, struct tcp_flow *tcp);

/* Something is waited for from the guest: retransmission clock on. */
void tcp_timer_resend(struct shard *shard, struct tcp_flow *tcp);

#endif
