/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TORTURE_GUEST_H
#define MQVMM_TORTURE_GUEST_H

#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "torture.h"

#define GUEST_PORTS     65536
#define GUEST_PORT_LOW  1024
#define GUEST_PORT_HIGH 59999
#define GUEST_GAPS      8
#define GUEST_ANSWERS   4096 /* that may overtake one, on other queues */

#define GUEST_PINGS_AHEAD 4 /* requests of an identifier under way */

#define GUEST_HEADERS_MAX 54 /* Ethernet and IPv6, bytes */

/**
 * struct hops - Where a flow's next frame goes
 * @stay:	Frames before it goes elsewhere
 */
struct hops {
	enum torture_hops kind;
	unsigned int queue;
	unsigned int stay;
};

enum guest_state {
	GUEST_NONE,
	GUEST_SYN_SENT,
	GUEST_SYN_RECEIVED,
	GUEST_OPEN,
	GUEST_OVER, /* late segments are answered, for a while */
};

/* Bytes that came before their turn: offsets into the stream. */
struct gap {
	uint32_t start;
	uint32_t end;
};

/**
 * struct stream - The guest's end of a TCP connection
 *
 * Offsets count from the first byte of a direction; a FIN is one after the
 * last.
 * @id:		Its number, once @known
 * @is6:	By IPv6
 * @port, @peer_port: The guest's, and the peer's as the guest sees it
 * @iss, @irs:	Initial sequence numbers, the guest's and the peer's
 * @up_acked, @up_sent, @up_max: The peer has it; sent; ever sent
 * @up_edge:	The peer's window ends there
 * @down_next:	First that is missing
 * @down_fin:	The peer's FIN is there
 * @early:	What is there behind @down_next; empty where end is 0
 * @ack_due:	Something is to be acknowledged
 * @due_us:	Send again, or forget it, then
 * @pump_us:	Send on then
 * @alive_us:	Last progress
 */
struct stream {
	enum guest_state state;
	bool known;
	uint32_t id;
	struct plan plan;
	bool is6;
	uint16_t port;
	uint16_t peer_port;
	uint32_t iss;
	uint32_t irs;
	uint32_t up_acked;
	uint32_t up_sent;
	uint32_t up_max;
	uint32_t up_edge;
	uint8_t peer_scale;
	uint32_t down_next;
	bool down_fin;
	struct gap early[GUEST_GAPS];
	bool ack_due;
	unsigned int dups;
	unsigned int tries;
	uint64_t due_us;
	uint64_t pump_us;
	uint64_t alive_us;
	struct hops hops;
};

/**
 * struct mapping - A UDP port of the guest's
 * @place:	Of the next datagram of each queue
 * @missing:	Answers that are to come
 * @first:	Lowest number of an answer that has not come
 * @got:	Whether answer N has come, for each from @first on, at N modulo
 *		GUEST_ANSWERS
 * @seen:	Of each queue: the number of the last answer there, plus one
 * @rest_us:	It is silent until then
 */
struct mapping {
	uint32_t place[TORTURE_SHARDS_MAX];
	uint32_t missing;
	uint32_t first;
	bool got[GUEST_ANSWERS];
	uint32_t seen[TORTURE_SHARDS_MAX];
	uint64_t rest_us;
	uint64_t alive_us;
	struct hops hops;
};

/**
 * struct ping - An identifier of the guest's echo requests
 * @next:	Number of the next request
 * @first:	Lowest of those that are not answered
 * @got:	Whether N is, for each from @first on, at N modulo
 * GUEST_PINGS_AHEAD
 */
struct ping {
	uint32_t next;
	uint32_t first;
	bool got[GUEST_PINGS_AHEAD];
	uint64_t rest_us;
	uint64_t alive_us;
	struct hops hops;
};

/**
 * struct guest - The guest's side of everything
 * @ours:	Streams that it opened, by its port
 * @theirs:	Those that the host opened, by IPv4 and IPv6, by the peer's port
 * @live:	Of both; @live_count entries
 * @opened:	Of @live, those of the guest's that are not over
 * @half_open:	Of these, those that have not been answered
 * @next_port:	Of the next stream
 */
struct guest {
	struct torture *torture;
	struct random random;
	uint64_t now_us;
	struct stream *ours[GUEST_PORTS];
	struct stream *theirs[2][GUEST_PORTS];
	struct stream **live;
	unsigned int live_count;
	unsigned int live_room;
	unsigned int opened;
	unsigned int half_open;
	uint16_t next_port;
	struct mapping *mapping;
	struct ping ping[TORTURE_PINGS];
	bool told;
	uint8_t frame[PORT_FRAME_MAX];
};

/* guest.c */

/* Transmit a frame of a flow's on the queue that is its turn. */
void guest_transmit(struct guest *guest, unsigned int queue, const void *frame,
		    size_t length);
/* Return: the queue for the next frame */
unsigned int guest_hop(struct guest *guest, struct hops *hops);

/* guest_stream.c: which streams there are */
void stream_open(struct guest *guest);
void stream_input(struct guest *guest, bool is6, const uint8_t *segment,
		  size_t size);
/* Timers of all of them, and what they cause; forget those that are over. */
void stream_run_all(struct guest *guest);

/* A segment, read once. */
struct segment {
	uint32_t seq;
	uint32_t ack;
	uint32_t window;
	uint8_t flags;
	int scale;
	const uint8_t *data;
	uint32_t size;
};

/* guest_tcp.c: one of them */
void stream_take(struct guest *guest, struct stream *stream,
		 const struct segment *segment);
void stream_send(struct guest *guest, struct stream *stream);
void stream_run(struct guest *guest, struct stream *stream);

/* guest_frame.c: segments of the guest's, and what is before them */

/**
 * frame_begin() - Write what is before a transport header
 * @size:	Of that and the payload
 *
 * Return: its bytes, GUEST_HEADERS_MAX at the most
 */
size_t frame_begin(const struct guest *guest, uint8_t *frame, bool is6,
		   uint8_t protocol, size_t size);
void segment_send(struct guest *guest, struct stream *stream, uint32_t offset,
		  uint8_t flags, uint32_t size);
void segment_send_syn(struct guest *guest, struct stream *stream);
/* Answer what belongs to no stream (RFC 9293, 3.5.2). */
void segment_refuse(struct guest *guest, bool is6, uint16_t port,
		    uint16_t peer_port, const struct segment *segment);

/* guest_udp.c */
void mapping_set_up(struct guest *guest);
void mapping_input(struct guest *guest, unsigned int queue,
		   const uint8_t *datagram, size_t size);
void mapping_run_all(struct guest *guest);
/* Return: true if no answer is missing */
bool mapping_are_quiet(const struct guest *guest);

/* guest_ping.c: the same for pings */
void ping_set_up(struct guest *guest);
void ping_input(struct guest *guest, bool is6, const uint8_t *message,
		size_t size);
void ping_run_all(struct guest *guest);
bool ping_are_quiet(const struct guest *guest);

#endif
