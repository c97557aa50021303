/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "fuzz/nat.h"
#include "fuzz/world.h"

/*
 * Target: whatever frames the guest sends, on two queues, to a host whose port
 * 7 takes connections and datagrams and that uses two forwards. An input is
 * records: a frame, an instant of time, a deed of the host's, or other features
 * of the guest's driver.
 */

#define HOST_PORT   7
#define FORWARD_TCP 100 /* to port 80 of the guest's */
#define FORWARD_UDP 101
#define CONNECTIONS 4
#define SEND_MAX    65535 /* bytes */

/* Kinds of records; all above are frames. */
enum {
	RECORD_TIME,
	RECORD_HOST,
	RECORD_DRIVER,
};

/**
 * struct host - Whom the guest can reach
 * @listener:	TCP, IPv4 and IPv6
 * @datagrams:	UDP, IPv4 and IPv6
 * @connection:	Accepted, or made to a forward; -1 for none
 */
struct host {
	int listener[2];
	int datagrams[2];
	int connection[CONNECTIONS];
};

static const uint8_t zeros[SEND_MAX];

static void host_begin(struct host *host)
{
	static const int family[] = { AF_INET, AF_INET6 };

	for (int i = 0; i < 2; i++) {
		host->listener[i] =
			world_open(family[i], SOCK_STREAM, HOST_PORT);
		host->datagrams[i] =
			world_open(family[i], SOCK_DGRAM, HOST_PORT);
	}
	for (int i = 0; i < CONNECTIONS; i++)
		host->connection[i] = -1;
}

static void host_hold(struct host *host, unsigned int which, int sock)
{
	if (host->connection[which] >= 0)
		world_reset(host->connection[which]);
	host->connection[which] = sock;
}

static void host_end(struct host *host)
{
	int sock;

	for (int i = 0; i < 2; i++) {
		while ((sock = accept(host->listener[i], NULL, NULL)) >= 0)
			world_reset(sock);
		close(host->listener[i]);
		close(host->datagrams[i]);
	}
	for (unsigned int i = 0; i < CONNECTIONS; i++)
		host_hold(host, i, -1);
}

static int host_accept(const struct host *host)
{
	int sock = accept4(host->listener[0], NULL, NULL, SOCK_NONBLOCK);

	return sock >= 0
		       ? sock
		       : accept4(host->listener[1], NULL, NULL, SOCK_NONBLOCK);
}

static void host_read(int sock)
{
	char data[4096];

	(void)!recv(sock, data, sizeof(data), MSG_DONTWAIT);
}

/* Send a datagram back to whom one came from. */
static void host_answer(const struct host *host, size_t size)
{
	struct sockaddr_storage from;
	socklen_t length;
	char data[16];

	for (int i = 0; i < 2; i++) {
		length = sizeof(from);
		if (recvfrom(host->datagrams[i], data, sizeof(data),
			     MSG_DONTWAIT, (struct sockaddr *)&from,
			     &length) >= 0)
			(void)!sendto(host->datagrams[i], zeros, size,
				      MSG_DONTWAIT, (struct sockaddr *)&from,
				      length);
	}
}

static void host_write_to_forward(void)
{
	int sock = world_connect(SOCK_DGRAM, FORWARD_UDP);

	(void)!send(sock, zeros, 32, MSG_DONTWAIT);
	close(sock);
}

static void host_act(struct host *host, uint8_t deed, size_t size)
{
	unsigned int which = deed / 8 % CONNECTIONS;
	int sock = host->connection[which];

	switch (deed % 8) {
	case 0:
		host_hold(host, which, host_accept(host));
		break;
	case 1:
		(void)!send(sock, zeros, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 2:
		host_read(sock);
		break;
	case 3:
		shutdown(sock, SHUT_WR);
		break;
	case 4:
		host_hold(host, which, -1);
		break;
	case 5:
		host_answer(host, size);
		break;
	case 6:
		host_hold(host, which, world_connect(SOCK_STREAM, FORWARD_TCP));
		break;
	default:
		host_write_to_forward();
	}
}

static void change_driver(struct nat *nat, struct fuzz_input *record)
{
	uint8_t space = fuzz_take8(record), flags = fuzz_take8(record);
	uint8_t split = fuzz_take8(record);
	unsigned int mtu = fuzz_take16(record);

	for (unsigned int i = 0; i < nat->shards; i++) {
		struct queue *queue = &nat->queue[i];

		queue->space = space == UINT8_MAX ? UINT32_MAX : space;
		queue->split = split;
		queue->features = (struct port_features) {
			.active = !(flags & 1),
			.rx_csum = !(flags & 2),
			.rx_tso4 = !(flags & 4),
			.rx_tso6 = !(flags & 8),
			.rx_steers_tx = flags & 16,
			.rx_frame_max = flags & 32 ? 1514 : PORT_FRAME_MAX,
			.mtu = mtu < 576 ? 576 : mtu,
		};
	}
	slirp_set_queues(nat->slirp, flags & 64 ? 1 : nat->shards);
}

static void transmit(struct nat *nat, uint8_t kind, struct fuzz_input *record)
{
	struct port_offload offload = {
		.flags = fuzz_take8(record),
		.gso_type = fuzz_take8(record),
		.gso_size = fuzz_take16(record),
		.header_len = fuzz_take8(record),
		.csum_start = fuzz_take8(record),
		.csum_offset = fuzz_take8(record),
	};
	unsigned int fix = fuzz_take8(record);

	nat_transmit(nat, kind, record->at, record->left, &offload, fix);
}

static void run_record(struct nat *nat, struct host *host, uint8_t kind,
		       struct fuzz_input *record)
{
	uint8_t deed;

	switch (kind) {
	case RECORD_TIME:
		world_advance(fuzz_take32(record) % 0x1000000);
		break;
	case RECORD_HOST:
		deed = fuzz_take8(record);
		host_act(host, deed, fuzz_take16(record));
		break;
	case RECORD_DRIVER:
		change_driver(nat, record);
		break;
	default:
		transmit(nat, kind, record);
	}
	nat_run(nat);
}

static struct slirp_endpoint loopback(uint16_t port)
{
	return (struct slirp_endpoint) {
		.address = address_from4(
			(struct in_addr) { htonl(INADDR_LOOPBACK) }),
		.port = port,
	};
}

static void add_forward(struct slirp_config *config, int protocol,
			uint16_t port)
{
	config->forward[config->forward_count++] = (struct slirp_forward) {
		.protocol = protocol,
		.host = loopback(port),
		.guest = { .address = address_from4(config->guest),
			   .port = 80 },
	};
}

/* 10.0.2.100:70 leads to the host's listener. */
static void add_guest_forward(struct slirp_config *config)
{
	config->guest_forward[config->guest_forward_count++] =
		(struct slirp_guest_forward) {
			.server = { .address = address_from4((struct in_addr) {
					    htonl(0x0a000264) }),
				    .port = 70 },
			.host = loopback(HOST_PORT),
		};
}

static void config_init(struct slirp_config *config)
{
	nat_config_init(config);
	config->shard_count = 2;
	add_forward(config, IPPROTO_TCP, FORWARD_TCP);
	add_forward(config, IPPROTO_UDP, FORWARD_UDP);
	add_guest_forward(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size }, record;
	struct slirp_config config;
	struct host host;
	struct nat nat;
	uint8_t kind;

	config_init(&config);
	host_begin(&host);
	nat_begin(&nat, &config);
	while (fuzz_take_record(&input, &kind, &record))
		run_record(&nat, &host, kind, &record);
	nat_end(&nat);
	host_end(&host);
	return 0;
}
