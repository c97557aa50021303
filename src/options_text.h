/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_TEXT_H
#define MQVMM_OPTIONS_TEXT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "slirp/address.h"

/*
 * Pieces of option values. All return 0 or -EINVAL and leave their result
 * alone on failure. Context: pure.
 */

#define OPTIONS_TEXT_MAX 4096 /* bytes of one option's value */

/**
 * struct options_pair - One `key=value` of a comma-separated list
 * @key:	Points into @text
 * @value:	The same; NULL where there was no `=`
 */
struct options_pair {
	char *key;
	char *value;
};

/**
 * options_next_pair() - Cut the next pair off a list
 * @rest:	The list, changed; NULL at its end
 *
 * Return: false at the end
 */
bool options_next_pair(char **rest, struct options_pair *pair);

/* A whole number from @low to @high. */
int options_number(const char *text, uint64_t low, uint64_t high,
		   uint64_t *number);

/* Bytes, with K, M, G or T behind the number; plain numbers are MiB. */
int options_size(const char *text, uint64_t *size);

/* "on" or "off" */
int options_switch(const char *text, bool *on);

/* IPv4 address; IPv6 address; "a.b.c.d/n", n from 8 to 29; "address[:port]"
 * with an IPv6 address in brackets where a port follows */
int options_address(const char *text, struct in_addr *address);
int options_address6(const char *text, struct in6_addr *address);
/* "fec0::/64", a prefix of 64 bits, not multicast, link-local or mapped IPv4 */
int options_network6(const char *text, struct in6_addr *prefix);
int options_network(const char *text, struct in_addr *network,
		    struct in_addr *netmask);
int options_endpoint(const char *text, uint16_t port,
		     struct slirp_endpoint *endpoint);

/* "52:54:00:12:34:56", not a group address, not all zeros */
int options_mac(const char *text, uint8_t mac[6]);

#endif
