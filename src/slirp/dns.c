/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/dns.h"

#include <string.h>

#include "slirp/header.h"

#define DNS_QUERY_MAX  512 /* bytes; RFC 1035, 4.2.1 */
#define DNS_RESPONSE   0x8000
#define DNS_RECURSION  0x0080 /* available */
#define DNS_SERVFAIL   2
#define DNS_KEEP_FLAGS 0x7900 /* opcode and "recursion desired" */

struct dns_header {
	uint16_t id, flags;
	uint16_t questions, answers, authorities, additionals;
};

/* The length of the one question behind the header, 0 if it is malformed */
static size_t dns_question_size(const uint8_t *at, size_t left)
{
	size_t size = 0;

	while (size < left && at[size]) {
		if (at[size] > 63)
			return 0;
		size += 1U + at[size];
	}
	size += 5; /* the root label, type and class */
	return size <= left ? size : 0;
}

void dns_send_failure(struct shard *shard, const struct packet *packet,
		      const struct udphdr *header, struct cursor payload)
{
	uint8_t frame[HEADER_UDP + DNS_QUERY_MAX];
	struct sockaddr_in from = { .sin_family = AF_INET,
				    .sin_port = header->uh_dport,
				    .sin_addr = { packet->ip.daddr } };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = header->uh_sport,
				  .sin_addr = { packet->ip.saddr } };
	uint8_t *message = frame + HEADER_UDP;
	size_t size =
		payload.left < DNS_QUERY_MAX ? payload.left : DNS_QUERY_MAX;
	struct dns_header dns;

	if (size < sizeof(dns) || !cursor_take(&payload, message, size))
		return;
	memcpy(&dns, message, sizeof(dns));
	if ((ntohs(dns.flags) & DNS_RESPONSE) || ntohs(dns.questions) != 1)
		return;
	dns.flags = htons((ntohs(dns.flags) & DNS_KEEP_FLAGS) | DNS_RESPONSE |
			  DNS_RECURSION | DNS_SERVFAIL);
	dns.answers = dns.authorities = dns.additionals = 0;
	memcpy(message, &dns, sizeof(dns));
	size = dns_question_size(message + sizeof(dns), size - sizeof(dns));
	if (!size)
		return;
	size += sizeof(dns);
	header_write_udp(shard_config(shard), &from, &to, size,
			 checksum_add(message, size, 0), NULL, frame);
	outgoing_send(shard, shard_input_queue(shard), frame, HEADER_UDP + size,
		      NULL);
}
