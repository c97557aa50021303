/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool address_is_any(const struct in6_addr *address)
{
	if (address_is4(address))
		return address->s6_addr32[3] == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(address);
}

bool address_is_loopback(const struct in6_addr *address)
{
	if (address_is4(address))
		return address->s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(address);
}

bool address_is_group(const struct in6_addr *address)
{
	if (!address_is4(address))
		return IN6_IS_ADDR_MULTICAST(address);
	return IN_MULTICAST(ntohl(address->s6_addr32[3])) ||
	       address->s6_addr32[3] == htonl(INADDR_BROADCAST);
}

bool address_in(const struct in6_addr *address, const struct in6_addr *network,
		unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	if (memcmp(address, network, whole) != 0)
		return false;
	return !rest || ((address->s6_addr[whole] ^ network->s6_addr[whole]) &
			 mask) == 0;
}

const char *address_format(const struct in6_addr *address, char *text)
{
	char plain[INET6_ADDRSTRLEN] = "";

	if (address_is4(address)) {
		inet_ntop(AF_INET, &address->s6_addr32[3], text,
			  ADDRESS_TEXT_MAX);
		return text;
	}
	inet_ntop(AF_INET6, address, plain, sizeof(plain));
	snprintf(text, ADDRESS_TEXT_MAX, "[%s]", plain);
	return text;
}

socklen_t endpoint_to_sockaddr(const struct slirp_endpoint *endpoint,
			       int family, struct sockaddr_storage *to)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(endpoint->port),
		.sin_addr = address_to4(&endpoint->address),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(endpoint->port),
		.sin6_addr = endpoint->address,
		.sin6_scope_id = endpoint->scope,
	};

	if (address_is4(&endpoint->address) && family != AF_INET6) {
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

struct slirp_endpoint endpoint_from_sockaddr(const void *from)
{
	struct slirp_endpoint endpoint = { 0 };
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	sa_family_t family;

	memcpy(&family, from, sizeof(family));
	if (family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		endpoint.address = address_from4(in.sin_addr);
		endpoint.port = ntohs(in.sin_port);
	} else if (family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		endpoint.address = in6.sin6_addr;
		endpoint.scope = in6.sin6_scope_id;
		endpoint.port = ntohs(in6.sin6_port);
	}
	return endpoint;
}
