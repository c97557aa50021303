/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/tcp_internal.h"

#define TCP_OPTIONS_SPACE 40 /* bytes, RFC 9293, 3.1 */
#define TCP_SCALE_MAX     14 /* RFC 7323, 2.3 */

static void segment_take_option(struct tcp_segment *segment, uint8_t kind,
				const uint8_t *value, unsigned int size)
{
	if (kind == TCPOPT_MAXSEG && size == 2)
		segment->mss = (uint16_t)(value[0] << 8 | value[1]);
	if (kind == TCPOPT_WINDOW && size == 1)
		segment->scale =
			(int8_t)(value[0] > TCP_SCALE_MAX ? TCP_SCALE_MAX
							  : value[0]);
}

static void segment_parse_options(struct tcp_segment *segment,
				  const uint8_t *options, unsigned int size)
{
	unsigned int at = 0;

	while (at < size && options[at] != TCPOPT_EOL) {
		unsigned int length;

		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= size)
			return;
		length = options[at + 1];
		if (length < 2 || at + length > size)
			return;
		segment_take_option(segment, options[at], &options[at + 2],
				    length - 2);
		at += length;
	}
}

bool tcp_segment_parse(const struct packet *packet, struct tcp_segment *segment)
{
	uint8_t options[TCP_OPTIONS_SPACE];
	unsigned int options_size;
	struct tcphdr header;

	segment->payload = packet->l4;
	if (!cursor_take(&segment->payload, &header, sizeof(header)) ||
	    (size_t)header.th_off * 4 < sizeof(header))
		return false;
	options_size = header.th_off * 4U - (unsigned int)sizeof(header);
	if (!cursor_take(&segment->payload, options, options_size))
		return false;
	segment->seq = ntohl(header.th_seq);
	segment->ack = ntohl(header.th_ack);
	segment->window = ntohs(header.th_win);
	segment->flags = header.th_flags;
	segment->length = (uint32_t)segment->payload.left;
	segment->scale = -1;
	segment->mss = 0;
	if (segment->flags & TH_SYN)
		segment_parse_options(segment, options, options_size);
	return true;
}
