/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define FLOWS_MAX     1024u
#define THREADS_MAX   256u
#define TIMEOUT_S_MAX 3600u
#define SECONDS_MAX   86400.0
#define RATE_MAX      1e8
#define HOLD_S_MAX    100.0 /* the server closes after SERVER_IDLE_S */

static const struct option long_options[] = {
	{ "to", required_argument, NULL, 't' },
	{ "bind", required_argument, NULL, 'b' },
	{ "port", required_argument, NULL, 'p' },
	{ "flows", required_argument, NULL, 'f' },
	{ "seconds", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 'z' },
	{ "timeout", required_argument, NULL, 'o' },
	{ "threads", required_argument, NULL, 'r' },
	{ "rate", required_argument, NULL, 'R' },
	{ "hold", required_argument, NULL, 'h' },
	{ "bulk", required_argument, NULL, 'B' },
	{ "name", required_argument, NULL, 'N' },
	{ "receive-buffer", required_argument, NULL, 'e' },
	{ "pin", no_argument, NULL, 'P' },
	{ "verify", no_argument, NULL, 'v' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

uint16_t address_port(const struct address *address)
{
	return ntohs(address->sa.sa_family == AF_INET6 ? address->in6.sin6_port
						       : address->in.sin_port);
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->sa.sa_family == AF_INET6)
		address->in6.sin6_port = htons(port);
	else
		address->in.sin_port = htons(port);
}

/* A number with an optional K, M or G (powers of 1024), from @low to @high. */
static int parse_number(const char *text, uint64_t low, uint64_t high,
			uint64_t *number)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t scale = 1;
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (end == text || errno || text[0] == '-')
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return -EINVAL;
		scale <<= 10 * (unit - units + 1);
	}
	if (*number > high / scale || *number * scale < low)
		return -EINVAL;
	*number *= scale;
	return 0;
}

static int parse_real(const char *text, double high, double *number)
{
	char *end;

	*number = strtod(text, &end);
	if (end == text || *end || !isfinite(*number) || *number < 0 ||
	    *number > high)
		return -EINVAL;
	return 0;
}

/* ADDRESS, or ADDRESS%INTERFACE of a link. */
static int parse_host(const char *text, struct address *address)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	size_t length = strlen(text);
	char *scope;

	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length + 1);
	scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	memset(address, 0, sizeof(*address));
	if (!scope && inet_pton(AF_INET, host, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->length = sizeof(address->in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1) {
		address->in6.sin6_family = AF_INET6;
		address->length = sizeof(address->in6);
		if (scope)
			address->in6.sin6_scope_id = if_nametoindex(scope);
		return scope && !address->in6.sin6_scope_id ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* HOST:PORT or [HOST]:PORT, numeric only: a static binary resolves no names. */
static int parse_endpoint(const char *text, struct address *address)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 3];
	uint64_t port;
	size_t length;
	char *start = host;

	if (!colon || (size_t)(colon - text) >= sizeof(host) ||
	    parse_number(colon + 1, 1, UINT16_MAX, &port))
		return -EINVAL;
	length = (size_t)(colon - text);
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] == '[' && length > 1 && host[length - 1] == ']') {
		host[length - 1] = '\0';
		start++;
	}
	if (parse_host(start, address))
		return -EINVAL;
	address_set_port(address, (uint16_t)port);
	return 0;
}

/* Port 0 where there is none. */
static int parse_address(const char *text, struct address *address)
{
	return parse_endpoint(text, address) ? parse_host(text, address) : 0;
}

/* Text of @number as an int-sized field. */
static int parse_uint(const char *text, uint64_t low, uint64_t high,
		      unsigned int *field)
{
	uint64_t number;

	if (parse_number(text, low, high, &number))
		return -EINVAL;
	*field = (unsigned int)number;
	return 0;
}

static int parse_one(struct options *o, int letter, const char *text,
		     unsigned int *port)
{
	switch (letter) {
	case 't':
		return parse_address(text, &o->to);
	case 'b':
		return parse_host(text, &o->bind);
	case 'p':
		return parse_uint(text, 0, UINT16_MAX, port);
	case 'f':
		return parse_uint(text, 1, FLOWS_MAX, &o->flows);
	case 's':
		return parse_real(text, SECONDS_MAX, &o->seconds);
	case 'n':
		return parse_number(text, 1, UINT64_MAX / 2, &o->count);
	case 'z':
		return parse_uint(text, 1, LOAD_DATAGRAM_MAX, &o->size);
	case 'o':
		return parse_uint(text, 1, TIMEOUT_S_MAX, &o->timeout_s);
	case 'r':
		return parse_uint(text, 0, THREADS_MAX, &o->threads);
	case 'R':
		return parse_real(text, RATE_MAX, &o->rate);
	case 'h':
		return parse_real(text, HOLD_S_MAX, &o->hold_s);
	case 'B':
		return parse_uint(text, 1, FLOWS_MAX, &o->bulk);
	case 'N':
		o->name = text;
		return 0;
	case 'e':
		return parse_uint(text, 1, INT32_MAX, &o->receive_buffer);
	case 'P':
		o->pin = true;
		return 0;
	case 'v':
		o->verify = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int options_parse(struct options *options, int argc, char **argv)
{
	unsigned int port = 0;
	int index = 0;
	int letter;

	*options = (struct options) { .flows = 1,
				      .size = 64,
				      .timeout_s = 10,
				      .hold_s = 1,
				      .bulk = 1,
				      .name = "mqload.test" };
	(void)parse_host("127.0.0.1", &options->bind);
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "", long_options, &index)) !=
	       -1) {
		if (letter == '?') {
			fprintf(stderr,
				"mqload: '%s' is no option or lacks "
				"its value; see mqload --help\n",
				argv[optind - 1]);
			return -EINVAL;
		}
		if (parse_one(options, letter, optarg, &port)) {
			fprintf(stderr,
				"mqload: --%s does not take '%s'; "
				"see mqload --help\n",
				long_options[index].name, optarg);
			return -EINVAL;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "mqload: '%s' is not an option\n",
			argv[optind]);
		return -EINVAL;
	}
	address_set_port(&options->bind, (uint16_t)port);
	return 0;
}
