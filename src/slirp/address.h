/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_ADDRESS_H
#define MQVMM_SLIRP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Addresses of both families in one type: struct in6_addr, an IPv4 address as
 * ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). A guest cannot send such an IPv6 address:
 * what it writes there is refused by nat_translate(). All functions are pure.
 */

#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 2) /* bytes, with brackets */

/**
 * struct slirp_endpoint - An address and a port
 * @address:	Either family
 * @scope:	Interface of a link-local IPv6 address, else 0
 * @port:	Host byte order
 */
struct slirp_endpoint {
	struct in6_addr address;
	uint32_t scope;
	uint16_t port;
};

static inline bool address_is4(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

/* AF_INET or AF_INET6 */
static inline int address_family(const struct in6_addr *address)
{
	return address_is4(address) ? AF_INET : AF_INET6;
}

static inline bool address_equal(const struct in6_addr *a,
				 const struct in6_addr *b)
{
	return IN6_ARE_ADDR_EQUAL(a, b);
}

static inline struct in6_addr address_from4(struct in_addr address)
{
	struct in6_addr mapped = { 0 };

	mapped.s6_addr32[2] = htonl(0xffff);
	mapped.s6_addr32[3] = address.s_addr;
	return mapped;
}

/* The last four bytes; address_is4() must hold for them to mean anything. */
static inline struct in_addr address_to4(const struct in6_addr *address)
{
	return (struct in_addr) { address->s6_addr32[3] };
}

/* Is it 0.0.0.0 or ::? */
bool address_is_any(const struct in6_addr *address);

/* Is it in 127.0.0.0/8, or ::1? */
bool address_is_loopback(const struct in6_addr *address);

/* Does it go to many: multicast, or IPv4's broadcast? */
bool address_is_group(const struct in6_addr *address);

/**
 * address_in() - Does an address lie in a network?
 * @bits:	Of the prefix, of 128; 96 and more for IPv4
 */
bool address_in(const struct in6_addr *address, const struct in6_addr *network,
		unsigned int bits);

/**
 * address_format() - Write an address as people do, IPv6 in brackets
 * @text:	ADDRESS_TEXT_MAX bytes
 *
 * Return: @text
 */
const char *address_format(const struct in6_addr *address, char *text);

/**
 * endpoint_to_sockaddr() - For the kernel
 * @family:	Of the socket: AF_INET6 takes IPv4 as mapped addresses;
 *AF_UNSPEC for the address's own
 *
 * Return: its size, bytes
 */
socklen_t endpoint_to_sockaddr(const struct slirp_endpoint *endpoint,
			       int family, struct sockaddr_storage *to);

/* From the kernel: a sockaddr_in or sockaddr_in6, else all zeros. */
struct slirp_endpoint endpoint_from_sockaddr(const void *from);

/* AF_INET or AF_INET6 */
static inline int endpoint_family(const struct slirp_endpoint *endpoint)
{
	return address_family(&endpoint->address);
}

static inline bool endpoint_equal(const struct slirp_endpoint *a,
				  const struct slirp_endpoint *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}

#endif
