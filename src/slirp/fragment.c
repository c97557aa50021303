/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/fragment.h"

#define FRAGMENT_UNIT 8 /* bytes; all but the last are a multiple */

size_t fragment_mtu(const struct shard *shard)
{
	const struct port_features *features = shard_features(shard);
	size_t most = features->rx_frame_max;

	most = most > HEADER_IP ? most - HEADER_IP : 0;
	return features->mtu < most ? features->mtu : most;
}

static bool fragment_send_one(struct shard *shard, unsigned int queue,
			      const struct header_ip *ip, const uint8_t *data)
{
	uint8_t header[HEADER_L4_MAX];
	size_t headers = header_write_ip(shard_config(shard), ip, header);
	struct outgoing out;

	if (outgoing_begin(shard, queue, headers + ip->length, &out))
		return false;
	iov_write(out.space.iov, out.space.iov_count, 0, header, headers);
	iov_write(out.space.iov, out.space.iov_count, headers, data,
		  ip->length);
	outgoing_commit(shard, &out, headers + ip->length, NULL);
	return true;
}

/* What a fragment carries of a packet, bytes; 0 if nothing fits. */
static size_t fragment_size(const struct shard *shard,
			    const struct in6_addr *guest)
{
	size_t headers = header_ip_size(guest), mtu = fragment_mtu(shard);

	if (!address_is4(guest))
		headers += HEADER_FRAGMENT6;
	if (mtu < headers)
		return 0;
	return (mtu - headers) - (mtu - headers) % FRAGMENT_UNIT;
}

bool fragment_send(struct shard *shard, unsigned int queue,
		   const struct header_ip *ip, const uint8_t *data, size_t size)
{
	struct header_ip part = *ip;
	size_t most = fragment_size(shard, &ip->destination);

	if (header_ip_size(&ip->destination) + size <= fragment_mtu(shard))
		most = size;
	if (!most)
		return false;
	for (size_t at = 0; at < size; at += part.length) {
		part.length = size - at < most ? size - at : most;
		part.fragment = (uint16_t)(at / FRAGMENT_UNIT);
		if (at + part.length < size)
			part.fragment |= HEADER_MORE_FRAGMENTS;
		if (!fragment_send_one(shard, queue, &part, data + at))
			return false;
	}
	return true;
}
