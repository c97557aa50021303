/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolv.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "slirp/nat.h"

#define DNS_PORT     53
#define RESOLV_SPACE " \t\r\n"

/* "fe80::1%eth0" */
static bool resolv_parse6(char *text, struct slirp_endpoint *to)
{
	char *scope = strchr(text, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &to->address) != 1)
		return false;
	to->scope = scope ? if_nametoindex(scope) : 0;
	return !IN6_IS_ADDR_LINKLOCAL(&to->address) || to->scope;
}

static void resolv_add(struct slirp_config *config, char *text)
{
	struct slirp_endpoint to = { .port = DNS_PORT };
	struct in_addr address;

	if (config->resolver_count == SLIRP_RESOLVERS_MAX)
		return;
	if (inet_pton(AF_INET, text, &address) == 1)
		to.address = address_from4(address);
	else if (!resolv_parse6(text, &to))
		return;
	/* 0.0.0.0 stands for the host itself, and answers as 127.0.0.1. */
	if (address_is_any(&to.address))
		to.address = nat_loopback(address_is4(&to.address));
	config->resolver[config->resolver_count++] = to;
}

static void resolv_take_line(struct slirp_config *config, char *line,
			     bool resolvers)
{
	char *rest, *key = strtok_r(line, RESOLV_SPACE, &rest);
	char *value = key ? strtok_r(NULL, RESOLV_SPACE, &rest) : NULL;

	if (!value)
		return;
	if (strcmp(key, "nameserver") == 0) {
		if (resolvers)
			resolv_add(config, value);
		return;
	}
	if (strcmp(key, "search") != 0 && strcmp(key, "domain") != 0)
		return;
	if (!config->domain[0] && strlen(value) < sizeof(config->domain))
		memcpy(config->domain, value, strlen(value) + 1);
}

void resolv_parse(FILE *in, struct slirp_config *config)
{
	bool resolvers = !config->resolver_count, begins = true;
	char line[512];

	while (fgets(line, sizeof(line), in)) {
		bool ends = strchr(line, '\n');

		/* What follows in a line that is too long is not a line. */
		if (begins)
			resolv_take_line(config, line, resolvers);
		begins = ends;
	}
}

void resolv_read_host(struct slirp_config *config)
{
	FILE *file = fopen("/etc/resolv.conf", "re");

	if (!file)
		return;
	resolv_parse(file, config);
	fclose(file);
}
