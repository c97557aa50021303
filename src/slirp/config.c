/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/slirp.h"

#define ADDRESS(a, b, c, d)                                             \
	{                                                               \
		htonl((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)) \
	}

#define FLOWS_MAX  65536
#define TCP_IDLE_S 7440 /* 2 h 4 min: RFC 5382, REQ-5 */
#define UDP_IDLE_S 300  /* RFC 4787, REQ-5 */

void slirp_config_init(struct slirp_config *config)
{
	static const uint8_t guest_mac[] = {
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56
	};
	static const uint8_t gateway_mac[] = { 0x52, 0x55, 0x0a,
					       0x00, 0x02, 0x02 };

	memset(config, 0, sizeof(*config));
	config->shard_count = 1;
	config->network = (struct in_addr)ADDRESS(10, 0, 2, 0);
	config->netmask = (struct in_addr)ADDRESS(255, 255, 255, 0);
	config->gateway = (struct in_addr)ADDRESS(10, 0, 2, 2);
	config->dns = (struct in_addr)ADDRESS(10, 0, 2, 3);
	config->guest = (struct in_addr)ADDRESS(10, 0, 2, 15);
	memcpy(config->guest_mac, guest_mac, sizeof(guest_mac));
	memcpy(config->gateway_mac, gateway_mac, sizeof(gateway_mac));
	config->mtu = 1500;
	config->host_loopback = true;
	config->flows_max = FLOWS_MAX;
	config->tcp_idle_s = TCP_IDLE_S;
	config->udp_idle_s = UDP_IDLE_S;
}
