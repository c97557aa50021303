/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool options_next_pair(char **rest, struct options_pair *pair)
{
	if (!*rest)
		return false;
	pair->key = strsep(rest, ",");
	pair->value = strchr(pair->key, '=');
	if (pair->value)
		*pair->value++ = '\0';
	return true;
}

/* Digits only: no sign, no space. Return: what follows them, NULL if none */
static const char *take_number(const char *text, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno ? NULL : end;
}

int options_number(const char *text, uint64_t low, uint64_t high,
		   uint64_t *number)
{
	uint64_t value;
	const char *end = take_number(text, &value);

	if (!end || *end || value < low || value > high)
		return -EINVAL;
	*number = value;
	return 0;
}

int options_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned int shift = 20;
	uint64_t value;
	const char *end = take_number(text, &value);

	if (!end)
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || (end[1] && strcmp(end + 1, "iB") != 0))
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (!value || value > UINT64_MAX >> shift)
		return -EINVAL;
	*size = value << shift;
	return 0;
}

int options_switch(const char *text, bool *on)
{
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return -EINVAL;
	*on = strcmp(text, "on") == 0;
	return 0;
}

int options_address(const char *text, struct in_addr *address)
{
	return inet_pton(AF_INET, text, address) == 1 ? 0 : -EINVAL;
}

int options_address6(const char *text, struct in6_addr *address)
{
	return inet_pton(AF_INET6, text, address) == 1 ? 0 : -EINVAL;
}

int options_network6(const char *text, struct in6_addr *prefix)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct in6_addr parsed;

	if (!slash || slash - text >= (long)sizeof(address) ||
	    strcmp(slash, "/64") != 0)
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (options_address6(address, &parsed) ||
	    IN6_IS_ADDR_MULTICAST(&parsed) || IN6_IS_ADDR_LINKLOCAL(&parsed) ||
	    (!parsed.s6_addr32[0] && !parsed.s6_addr32[1]))
		return -EINVAL;
	memset(&parsed.s6_addr[8], 0, 8);
	*prefix = parsed;
	return 0;
}

int options_network(const char *text, struct in_addr *network,
		    struct in_addr *netmask)
{
	char address[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct in_addr parsed;
	uint64_t bits;
	uint32_t mask;

	if (!slash || slash - text >= (long)sizeof(address) ||
	    options_number(slash + 1, 8, 29, &bits))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (options_address(address, &parsed))
		return -EINVAL;
	mask = htonl(~0U << (32 - bits));
	network->s_addr = parsed.s_addr & mask;
	netmask->s_addr = mask;
	return 0;
}

/* "[address]" or an address alone. Return: what follows, NULL if none is there
 */
static const char *take_address(const char *text, struct in6_addr *address)
{
	bool bracket = *text == '[';
	size_t size = strcspn(text + bracket, bracket ? "]" : ":");
	char copy[INET6_ADDRSTRLEN];
	struct in_addr in;

	if (!bracket && options_address6(text, address) == 0)
		return text + strlen(text);
	if (size >= sizeof(copy) || (bracket && text[1 + size] != ']'))
		return NULL;
	memcpy(copy, text + bracket, size);
	copy[size] = '\0';
	text += size + 2 * (size_t)bracket;
	if (bracket)
		return options_address6(copy, address) ? NULL : text;
	if (options_address(copy, &in))
		return NULL;
	*address = address_from4(in);
	return text;
}

int options_endpoint(const char *text, uint16_t port,
		     struct slirp_endpoint *endpoint)
{
	uint64_t number = port;
	struct in6_addr parsed;
	const char *rest = take_address(text, &parsed);

	if (!rest)
		return -EINVAL;
	if (*rest &&
	    (*rest != ':' || options_number(rest + 1, 1, 65535, &number)))
		return -EINVAL;
	*endpoint = (struct slirp_endpoint) { .address = parsed,
					      .port = (uint16_t)number };
	return 0;
}

int options_mac(const char *text, uint8_t mac[6])
{
	static const uint8_t none[6];
	uint8_t byte[6];

	/* sscanf() would take signs and spaces for digits. */
	for (int i = 0; i < 6; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) ||
		    !isxdigit((unsigned char)text[1]) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		byte[i] = (uint8_t)strtoul(text, NULL, 16);
	}
	if ((byte[0] & 1) || memcmp(byte, none, sizeof(byte)) == 0)
		return -EINVAL;
	memcpy(mac, byte, sizeof(byte));
	return 0;
}
