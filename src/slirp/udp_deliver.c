/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/fragment.h"
#include "slirp/header.h"
#include "slirp/udp_internal.h"

static bool udp_send_whole(struct shard *shard, unsigned int queue,
			   const struct slirp_endpoint *from,
			   const struct slirp_endpoint *to, const uint8_t *data,
			   size_t size)
{
	size_t headers = header_udp(&to->address);
	uint8_t header[HEADER_UDP_MAX];
	struct port_offload offload;
	struct outgoing out;

	if (outgoing_begin(shard, queue, headers + size, &out))
		return false;
	if (shard_features(shard)->rx_csum) {
		header_write_udp(shard_config(shard), from, to, size, 0,
				 &offload, header);
	} else {
		offload = (struct port_offload) { 0 };
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
	}
	iov_write(out.space.iov, out.space.iov_count, 0, header, headers);
	iov_write(out.space.iov, out.space.iov_count, headers, data, size);
	outgoing_commit(shard, &out, headers + size, &offload);
	return true;
}

void udp_deliver(struct shard *shard, unsigned int queue,
		 const struct slirp_endpoint *from,
		 const struct slirp_endpoint *to, uint8_t *data, size_t size,
		 uint16_t id)
{
	struct header_ip ip = {
		.source = from->address,
		.destination = to->address,
		.protocol = IPPROTO_UDP,
		.id = id,
	};
	uint8_t *start = data - sizeof(struct udphdr);
	size_t whole = sizeof(struct udphdr) + size;
	uint8_t header[HEADER_UDP_MAX];
	bool sent;

	if (header_ip_size(&to->address) + whole <= fragment_mtu(shard)) {
		sent = udp_send_whole(shard, queue, from, to, data, size);
	} else {
		/* A checksum over several frames cannot be left to the guest's
		 * side. */
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
		memcpy(start, header + header_l4(&to->address),
		       sizeof(struct udphdr));
		sent = fragment_send(shard, queue, &ip, start, whole);
	}
	if (!sent)
		SHARD_COUNT(shard, rx_dropped, 1);
}
