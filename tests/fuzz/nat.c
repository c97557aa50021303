/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/nat.h"

#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "fuzz/fuzz.h"
#include "fuzz/world.h"

/* Turns of each shard: one asks the other, and back; until there is rest. */
#define NAT_ROUNDS_MIN 3
#define NAT_ROUNDS_MAX 256

#define NAT_FLOWS 256 /* per shard; few enough to run out of */

void nat_config_init(struct slirp_config *config)
{
	slirp_config_init(config);
	config->engine = SLIRP_ENGINE_EPOLL;
	config->resolv_conf = "/dev/null";
	config->flows_max = NAT_FLOWS;
}

/* The guest learns what to acknowledge. */
static void nat_learn(struct nat *nat, struct packet *packet)
{
	struct tcphdr tcp;
	uint32_t length = (uint32_t)packet->l4.left;

	if (packet->protocol != IPPROTO_TCP)
		return;
	FUZZ_CHECK(cursor_take(&packet->l4, &tcp, sizeof(tcp)));
	FUZZ_CHECK(tcp.th_off >= 5 && tcp.th_off * 4U <= length);
	length -= tcp.th_off * 4U;
	length += !!(tcp.th_flags & TH_SYN) + !!(tcp.th_flags & TH_FIN);
	nat->expected[ntohs(tcp.th_dport) % NAT_PORTS] =
		ntohl(tcp.th_seq) + length;
}

/* What the guest gets is a frame that we would take ourselves. */
static void nat_received(void *context, const struct port_frame *frame)
{
	struct packet packet;

	FUZZ_CHECK(packet_parse_ether(&packet, frame));
	if (packet.ether.ether_type == htons(ETHERTYPE_ARP))
		return;
	if (packet.ether.ether_type == htons(ETHERTYPE_IP))
		FUZZ_CHECK(packet_parse_ip4(&packet));
	else
		FUZZ_CHECK(packet_parse_ip6(&packet));
	nat_learn(context, &packet);
}

void nat_begin(struct nat *nat, const struct slirp_config *config)
{
	struct port *port[NAT_SHARDS_MAX];
	struct fail fail = { 0 };

	memset(nat, 0, sizeof(*nat));
	world_begin();
	nat->shards = config->shard_count;
	for (unsigned int i = 0; i < nat->shards; i++) {
		queue_begin(&nat->queue[i]);
		nat->queue[i].received = nat_received;
		nat->queue[i].context = nat;
		port[i] = &nat->queue[i].port;
	}
	FUZZ_CHECK(slirp_create(config, port, &nat->slirp, &fail) == 0);
	/* No randomness, no grace thread to wake, no lines in the log. */
	memset(nat->slirp->secret, 1, sizeof(nat->slirp->secret));
	nat->slirp->grace.wake_fd = -1;
	nat->slirp->noticed = UINT32_MAX;
	slirp_set_queues(nat->slirp, nat->shards);
	urcu_qsbr_register_thread();
	for (unsigned int i = 0; i < nat->shards; i++) {
		/* Sockets in advance take longer than the rest. */
		nat->slirp->shard[i]->pool[0].wanted = false;
		FUZZ_CHECK(shard_begin(nat->slirp->shard[i]) == 0);
		forward_begin_all(nat->slirp->shard[i]);
	}
}

/* Return: true if there was something to do, or is */
static bool nat_run_shard(struct nat *nat, unsigned int index)
{
	struct shard *shard = nat->slirp->shard[index];
	struct engine_event event[SHARD_EVENTS_MAX];
	unsigned int events =
		engine_wait(shard->engine, event, SHARD_EVENTS_MAX, 0);

	shard_turn(shard, event, events);
	FUZZ_CHECK(queue_is_idle(&nat->queue[index]));
	shard_tidy(shard);
	return events || shard->more ||
	       timer_next(&shard->timers, shard_now_ms(shard)) == 0;
}

static bool nat_run_round(struct nat *nat)
{
	bool busy = false;

	for (unsigned int i = 0; i < nat->shards; i++)
		busy |= nat_run_shard(nat, i);
	/* Between turns no shard reads anything. */
	nat->slirp->grace.completed = ++nat->slirp->grace.started;
	return busy;
}

void nat_run(struct nat *nat)
{
	unsigned int rounds = 0;

	/* While the clock stands, they come to rest. */
	while (nat_run_round(nat) || rounds < NAT_ROUNDS_MIN)
		FUZZ_CHECK(++rounds < NAT_ROUNDS_MAX);
}

void nat_end(struct nat *nat)
{
	for (unsigned int i = 0; i < nat->shards; i++)
		shard_end(nat->slirp->shard[i]);
	for (unsigned int i = 0; i < nat->shards; i++)
		FUZZ_CHECK(queue_is_idle(&nat->queue[i]));
	urcu_qsbr_unregister_thread();
	slirp_destroy(nat->slirp);
	for (unsigned int i = 0; i < nat->shards; i++)
		queue_end(&nat->queue[i]);
}

static void fix_checksum(uint8_t *frame, size_t length)
{
	struct iphdr ip;
	size_t size;

	if (length < ETH_HLEN + sizeof(ip))
		return;
	memcpy(&ip, frame + ETH_HLEN, sizeof(ip));
	size = ip.ihl * 4U;
	if (ip.version != 4 || size < sizeof(ip) || length < ETH_HLEN + size)
		return;
	memset(frame + ETH_HLEN + offsetof(struct iphdr, check), 0, 2);
	ip.check = checksum_fold(checksum_add(frame + ETH_HLEN, size, 0));
	memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
}

/* Where the transport header of plain TCP over IP is, 0 if it is none. */
static size_t tcp_offset(const uint8_t *frame, size_t length)
{
	size_t at = ETH_HLEN + sizeof(struct ip6_hdr);

	if (length < at)
		return 0;
	if (frame[ETH_HLEN] >> 4 == 4)
		return frame[ETH_HLEN + 9] == IPPROTO_TCP
			       ? ETH_HLEN + (frame[ETH_HLEN] & 15) * 4U
			       : 0;
	return frame[ETH_HLEN + 6] == IPPROTO_TCP ? at : 0;
}

static void fix_ack(const struct nat *nat, uint8_t *frame, size_t length)
{
	size_t at = tcp_offset(frame, length);
	struct tcphdr tcp;

	if (!at || length < at + sizeof(tcp))
		return;
	memcpy(&tcp, frame + at, sizeof(tcp));
	tcp.th_ack = htonl(ntohl(tcp.th_ack) +
			   nat->expected[ntohs(tcp.th_sport) % NAT_PORTS]);
	memcpy(frame + at, &tcp, sizeof(tcp));
}

void nat_transmit(struct nat *nat, unsigned int queue, const uint8_t *frame,
		  size_t length, const struct port_offload *offload,
		  unsigned int fix)
{
	uint8_t *copy = malloc(length + !length);

	FUZZ_CHECK(copy);
	memcpy(copy, frame, length);
	if (fix & NAT_FIX_CHECKSUM)
		fix_checksum(copy, length);
	if (fix & NAT_FIX_ACK)
		fix_ack(nat, copy, length);
	queue_transmit(&nat->queue[queue % nat->shards], copy, length, offload);
	free(copy);
}

static size_t write_ip4(uint8_t *frame, uint8_t address, size_t length)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons((uint16_t)(sizeof(ip) + length)),
		.saddr = htonl(0x0a00020f),
		.daddr = htonl(0x0a000200U + address),
	};

	memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t write_ip6(uint8_t *frame, uint8_t address, size_t length)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(0x60000000),
		.ip6_plen = htons((uint16_t)length),
		.ip6_nxt = IPPROTO_UDP,
		.ip6_hops = 64,
		.ip6_src = { { { 0xfe, 0xc0, [15] = 0x15 } } },
		.ip6_dst = { { { 0xfe, 0xc0, [15] = address } } },
	};

	memcpy(frame + ETH_HLEN, &ip, sizeof(ip));
	return sizeof(ip);
}

#define DATAGRAM_MAX 9000 /* bytes */

void nat_transmit_datagram(struct nat *nat, bool is4, uint8_t address,
			   uint16_t from, uint16_t to, const uint8_t *data,
			   size_t size)
{
	const struct port_offload offload = { .flags = PORT_DATA_VALID };
	uint8_t frame[DATAGRAM_MAX + 100] = { 0 };
	struct udphdr udp = { .uh_sport = htons(from), .uh_dport = htons(to) };
	size_t at = ETH_HLEN;

	if (size > DATAGRAM_MAX)
		size = DATAGRAM_MAX;
	udp.uh_ulen = htons((uint16_t)(sizeof(udp) + size));
	udp.uh_sum = 1; /* vouched for by PORT_DATA_VALID */
	frame[12] = is4 ? 0x08 : 0x86;
	frame[13] = is4 ? 0x00 : 0xdd;
	at += is4 ? write_ip4(frame, address, sizeof(udp) + size)
		  : write_ip6(frame, address, sizeof(udp) + size);
	memcpy(frame + at, &udp, sizeof(udp));
	memcpy(frame + at + sizeof(udp), data, size);
	nat_transmit(nat, 0, frame, at + sizeof(udp) + size, &offload,
		     NAT_FIX_CHECKSUM);
}
