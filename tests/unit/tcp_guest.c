/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/tcp_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/pseudo4.h"

#define GUEST_ISN  0xfffff000U /* wraps soon */
#define HOST_WAIT  2000        /* ms */
#define HEADERS    54          /* Ethernet, IPv4, TCP without options, bytes */
#define SCALE_NONE (-1)

int guest_set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);

	assert_non_null(guest);
	guest->shard = fake_shard_create();
	guest->to = guest->shard->config.gateway;
	guest->host = -1;
	guest->port = 40000;
	guest->seq = GUEST_ISN;
	guest->window = 65535;
	guest->mss = 1460;
	guest->scale = 7;
	guest->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		bind(guest->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(guest->listener, 16), 0);
	assert_int_equal(getsockname(guest->listener,
				     (struct sockaddr *)&address, &size),
			 0);
	guest->peer_port = ntohs(address.sin_port);
	*state = guest;
	return 0;
}

int guest_tear_down(void **state)
{
	struct guest *guest = *state;

	fake_shard_destroy(guest->shard);
	if (guest->listener >= 0)
		close(guest->listener);
	if (guest->host >= 0)
		close(guest->host);
	free(guest);
	return 0;
}

static size_t put_options(const struct guest *guest, uint8_t *to)
{
	size_t at = 0;

	if (guest->mss) {
		to[at++] = TCPOPT_MAXSEG;
		to[at++] = TCPOLEN_MAXSEG;
		to[at++] = (uint8_t)(guest->mss >> 8);
		to[at++] = (uint8_t)guest->mss;
	}
	if (guest->scale >= 0) {
		to[at++] = TCPOPT_NOP;
		to[at++] = TCPOPT_WINDOW;
		to[at++] = TCPOLEN_WINDOW;
		to[at++] = (uint8_t)guest->scale;
	}
	return at;
}

static void put_ip(const struct guest *guest, size_t length, struct iphdr *ip)
{
	const struct slirp_config *config = &guest->shard->config;

	*ip = (struct iphdr) {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(*ip) + length)),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = config->guest.s_addr,
		.daddr = guest->to.s_addr,
	};
	ip->check = checksum_fold(checksum_add(ip, sizeof(*ip), 0));
}

void guest_send_at(struct guest *guest, uint32_t seq, uint8_t flags,
		   const void *data, size_t length)
{
	uint8_t *frame = calloc(1, HEADERS + 40 + length);
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct tcphdr tcp = {
		.th_sport = htons(guest->port),
		.th_dport = htons(guest->peer_port),
		.th_seq = htonl(seq),
		.th_ack = flags & TH_ACK ? htonl(guest->ack) : 0,
		.th_win = htons(guest->window),
	};
	struct port_offload offload = { .flags = PORT_NEEDS_CSUM };
	struct iphdr ip;
	size_t options = 0;

	if (flags & TH_SYN)
		options = put_options(guest, frame + HEADERS);
	tcp.th_off = (sizeof(tcp) + options) / 4 & 0xf;
	tcp.th_flags = flags;
	put_ip(guest, sizeof(tcp) + options + length, &ip);
	memcpy(frame, &ether, sizeof(ether));
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + 34, &tcp, sizeof(tcp));
	if (length)
		memcpy(frame + HEADERS + options, data, length);
	assert_int_equal(fake_input(guest->shard, frame,
				    HEADERS + options + length, guest->split,
				    &offload, tcp_open),
			 -1);
	free(frame);
}

void guest_send(struct guest *guest, uint8_t flags, const void *data,
		size_t length)
{
	guest_send_at(guest, guest->seq, flags, data, length);
	guest->seq +=
		(uint32_t)length + !!(flags & TH_SYN) + !!(flags & TH_FIN);
}

static void check_checksum(const struct fake_frame *frame,
			   const struct iphdr *ip, size_t length)
{
	struct in_addr source = { ip->saddr }, target = { ip->daddr };
	uint32_t sum = checksum_pseudo4(source, target, IPPROTO_TCP, length);
	struct tcphdr tcp;

	memcpy(&tcp, frame->data + 34, sizeof(tcp));
	if (!(frame->offload.flags & PORT_NEEDS_CSUM)) {
		assert_int_equal(checksum_fold(checksum_add(frame->data + 34,
							    length, sum)),
				 0);
		return;
	}
	assert_int_equal(frame->offload.csum_start, 34);
	assert_int_equal(frame->offload.csum_offset, 16);
	assert_int_equal((uint16_t)~tcp.th_sum, checksum_fold(sum));
}

static void take_options(struct heard *heard, const uint8_t *at, size_t size)
{
	size_t i = 0;

	heard->scale = SCALE_NONE;
	while (i < size && at[i] != TCPOPT_EOL) {
		if (at[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (at[i] == TCPOPT_MAXSEG)
			heard->mss = (uint16_t)(at[i + 2] << 8 | at[i + 3]);
		if (at[i] == TCPOPT_WINDOW)
			heard->scale = at[i + 2];
		assert_true(at[i + 1] >= 2);
		i += at[i + 1];
	}
}

bool guest_hear(struct guest *guest, struct heard *heard)
{
	const struct fake_frame *frame = fake_next(guest->shard);
	const struct slirp_config *config = &guest->shard->config;
	struct tcphdr tcp;
	struct iphdr ip;
	size_t header;

	memset(heard, 0, sizeof(*heard));
	if (!frame)
		return false;
	assert_true(frame->length >= HEADERS);
	assert_memory_equal(frame->data, config->guest_mac, 6);
	memcpy(&ip, frame->data + 14, sizeof(ip));
	memcpy(&tcp, frame->data + 34, sizeof(tcp));
	assert_int_equal(ntohs(ip.tot_len) + 14, frame->length);
	assert_int_equal(checksum_fold(checksum_add(&ip, sizeof(ip), 0)), 0);
	assert_int_equal(ip.protocol, IPPROTO_TCP);
	assert_int_equal(ip.saddr, config->gateway.s_addr);
	assert_int_equal(ip.daddr, config->guest.s_addr);
	assert_int_equal(ntohs(tcp.th_dport), guest->port);
	header = 34 + tcp.th_off * 4U;
	check_checksum(frame, &ip, frame->length - 34);
	heard->flags = tcp.th_flags;
	heard->seq = ntohl(tcp.th_seq);
	heard->ack = ntohl(tcp.th_ack);
	heard->window = ntohs(tcp.th_win);
	heard->data = frame->data + header;
	heard->length = frame->length - header;
	heard->offload = frame->offload;
	take_options(heard, frame->data + HEADERS, header - HEADERS);
	return true;
}

void guest_expect(struct guest *guest, uint8_t flags, struct heard *heard)
{
	assert_true(guest_hear(guest, heard));
	assert_int_equal(heard->flags, flags);
	if (flags & TH_SYN)
		guest->ack = heard->seq + 1;
	if (heard->seq != guest->ack)
		return;
	guest->ack += (uint32_t)heard->length + !!(flags & TH_FIN);
}

void guest_expect_silence(struct guest *guest)
{
	struct heard heard;

	assert_false(guest_hear(guest, &heard));
}

void guest_wait(struct guest *guest)
{
	while (guest->shard->sent_read == guest->shard->sent_count)
		assert_true(fake_wait(guest->shard));
}

void guest_connect(struct guest *guest)
{
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_wait(guest);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest->host = accept(guest->listener, NULL, NULL);
	assert_true(guest->host >= 0);
}

size_t guest_listen(struct guest *guest, uint8_t *got)
{
	uint32_t first = guest->ack;
	struct heard heard;

	while (guest_hear(guest, &heard)) {
		int32_t ahead = (int32_t)(heard.seq - guest->ack);
		uint32_t old = (uint32_t)-ahead;

		assert_true(ahead <= 0);
		if (old >= heard.length)
			continue;
		memcpy(got + (guest->ack - first), heard.data + old,
		       heard.length - old);
		guest->ack += (uint32_t)heard.length - old;
	}
	return guest->ack - first;
}

void guest_fill(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 13 + i / 253);
}

void guest_transfer(struct guest *guest, size_t size)
{
	uint8_t *data = malloc(size), *got = malloc(size);
	size_t sent = 0, taken = 0;

	guest_fill(data, size);
	fcntl(guest->host, F_SETFL, O_NONBLOCK);
	while (taken < size) {
		ssize_t n = send(guest->host, data + sent, size - sent,
				 MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		n = (ssize_t)guest_listen(guest, got + taken);
		taken += (size_t)n;
		fake_drop_frames(guest->shard);
		if (n)
			guest_send(guest, TH_ACK, NULL, 0);
		fake_turn(guest->shard);
	}
	assert_memory_equal(data, got, size);
	free(data);
	free(got);
}

static bool host_readable(struct guest *guest, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = guest->host, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

void host_send(struct guest *guest, const void *data, size_t length)
{
	assert_int_equal(send(guest->host, data, length, MSG_NOSIGNAL), length);
}

void host_expect(struct guest *guest, const void *data, size_t length)
{
	uint8_t *got = malloc(length);
	size_t at = 0;

	assert_non_null(got);
	while (at < length) {
		ssize_t n;

		assert_true(host_readable(guest, HOST_WAIT));
		n = recv(guest->host, got + at, length - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(got, data, length);
	free(got);
}

void host_expect_silence(struct guest *guest)
{
	assert_false(host_readable(guest, 0));
}

void host_expect_eof(struct guest *guest)
{
	char byte;

	assert_true(host_readable(guest, HOST_WAIT));
	assert_int_equal(recv(guest->host, &byte, 1, 0), 0);
}

void host_expect_reset(struct guest *guest)
{
	char byte;

	assert_true(host_readable(guest, HOST_WAIT));
	assert_int_equal(recv(guest->host, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

void host_half_close(struct guest *guest)
{
	struct heard heard;

	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
}

void guest_expect_over(struct guest *guest)
{
	const struct shard *shard = guest->shard;

	for (unsigned int i = 0; i < shard->flow_count; i++)
		assert_int_equal(shard->flow[i]->sock, -1);
}

struct flow *guest_flow(struct guest *guest)
{
	struct shard *shard = guest->shard;

	assert_int_equal(fake_flows_live(shard), 1);
	for (unsigned int i = 0; i < shard->flow_count; i++)
		if (!shard->flow[i]->dead)
			return shard->flow[i];
	return NULL;
}
