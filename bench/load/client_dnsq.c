/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queries for the address of --name (RFC 1035, RFC 3596), one under way at a
 * time. A '*' in the name becomes a label that no query had before, past any
 * cache. NOERROR and NXDOMAIN are both answers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "flow.h"

#define HEADER_BYTES   12
#define NAME_MAX_BYTES 255
#define QUERY_MAX      (HEADER_BYTES + NAME_MAX_BYTES + 4)
#define TYPE_A         1
#define CLASS_IN       1
#define RCODE_NXDOMAIN 3

/* Writes @name as labels; Return: its length, 0 when it is not a name. */
static size_t put_name(uint8_t *at, const char *name)
{
	size_t length = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		if (!label || label > 63 || length + label + 2 > NAME_MAX_BYTES)
			return 0;
		at[length] = (uint8_t)label;
		memcpy(at + length + 1, name, label);
		length += 1 + label;
		name += label + (name[label] == '.');
	}
	at[length] = 0;
	return length + 1;
}

/* The name of this query: the star of --name filled in. */
static bool make_name(const struct flow *flow, char *name, size_t size)
{
	const char *format = flow->options->name;
	const char *star = strchr(format, '*');
	int length;

	if (star)
		length = snprintf(
			name, size, "%.*sq%x-%llx-%llx%s", (int)(star - format),
			format, flow->index, (unsigned long long)flow->begun,
			(unsigned long long)flow->started_ns, star + 1);
	else
		length = snprintf(name, size, "%s", format);
	return length > 0 && (size_t)length < size;
}

/* The same bytes each time it is called in one operation; 0: no such name. */
static size_t make_query(const struct flow *flow, uint8_t *query)
{
	uint32_t id = (uint32_t)flow->begun * 40503 + flow->index;
	char name[NAME_MAX_BYTES + 1];
	size_t length;

	memset(query, 0, HEADER_BYTES);
	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
	query[2] = 1; /* recursion desired */
	query[5] = 1; /* questions */
	if (!make_name(flow, name, sizeof(name)))
		return 0;
	length = put_name(query + HEADER_BYTES, name);
	if (!length)
		return 0;
	length += HEADER_BYTES;
	memcpy(query + length, (uint8_t[]) { 0, TYPE_A, 0, CLASS_IN }, 4);
	return length + 4;
}

static int check_answer(const uint8_t *answer, size_t got, const uint8_t *query,
			size_t length)
{
	uint8_t rcode;

	if (got < length || memcmp(answer, query, 2) != 0 ||
	    !(answer[2] & 0x80) ||
	    memcmp(answer + HEADER_BYTES, query + HEADER_BYTES,
		   length - HEADER_BYTES) != 0)
		return -EBADMSG;
	rcode = answer[3] & 0x0f;
	return rcode == 0 || rcode == RCODE_NXDOMAIN ? 0 : -EBADMSG;
}

static int dnsq_step(struct flow *flow)
{
	uint8_t query[QUERY_MAX];
	size_t length = make_query(flow, query);
	int rc = flow->fd < 0 ? flow_connect(flow, SOCK_DGRAM, 0) : 0;
	ssize_t got;

	if (!length)
		return -EINVAL;
	if (rc)
		return rc;
	if (flow->state == FLOW_START) {
		if (send(flow->fd, query, length, 0) != (ssize_t)length)
			return flow_blocked(flow, EPOLLOUT);
		flow->state = FLOW_BODY;
	}
	got = recv(flow->fd, flow->buffer, PATTERN_RUN, 0);
	if (got < 0)
		return flow_blocked(flow, EPOLLIN);
	rc = check_answer(flow->buffer, (size_t)got, query, length);
	if (!rc)
		flow->bytes += (uint64_t)got;
	return rc;
}

const struct client_mode client_dnsq = { .name = "dnsq",
					 .lossy = true,
					 .step = dnsq_step };
