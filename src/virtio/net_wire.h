/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_NET_WIRE_H
#define MQVMM_VIRTIO_NET_WIRE_H

#include <stdint.h>

/* The network device's formats and numbers: virtio 1.2, 5.1. */

#define NET_DEVICE_ID 1
#define NET_PCI_CLASS 0x020000

/* Feature bits (5.1.3) */
#define NET_F_CSUM         (1ULL << 0)
#define NET_F_GUEST_CSUM   (1ULL << 1)
#define NET_F_MTU          (1ULL << 3)
#define NET_F_MAC          (1ULL << 5)
#define NET_F_GUEST_TSO4   (1ULL << 7)
#define NET_F_GUEST_TSO6   (1ULL << 8)
#define NET_F_GUEST_ECN    (1ULL << 9)
#define NET_F_HOST_TSO4    (1ULL << 11)
#define NET_F_HOST_TSO6    (1ULL << 12)
#define NET_F_HOST_ECN     (1ULL << 13)
#define NET_F_MRG_RXBUF    (1ULL << 15)
#define NET_F_STATUS       (1ULL << 16)
#define NET_F_CTRL_VQ      (1ULL << 17)
#define NET_F_CTRL_RX      (1ULL << 18)
#define NET_F_MQ           (1ULL << 22)
#define NET_F_SPEED_DUPLEX (1ULL << 63)

#define NET_S_LINK_UP 1

/* Configuration space (5.1.4) */
struct __attribute__((packed)) net_config_space {
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
	uint32_t speed; /* Mbit/s */
	uint8_t duplex; /* 1: full */
};

/* In front of each frame (5.1.6); in this length since VERSION_1. */
struct net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

/* Control queue (5.1.6.5): class, command, data; then the answer. */
#define NET_OK  0
#define NET_ERR 1

#define NET_CTRL_RX            0
#define NET_CTRL_RX_PROMISC    0
#define NET_CTRL_RX_ALLMULTI   1
#define NET_CTRL_MAC           1
#define NET_CTRL_MAC_TABLE_SET 0
#define NET_CTRL_MQ            4
#define NET_CTRL_MQ_PAIRS_SET  0

/* Receive buffers hold at least this with its header (5.1.6.3.1), bytes. */
#define NET_RX_BUFFER_MIN 1526

#endif
