/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolv.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "slirp/nat.h"

#define DNS_PORT        53
#define RESOLV_SPACE    " \t\r\n"
#define RESOLV_LINE_MAX 1024 /* bytes */

/* What a file says, before it is known which of it counts. */
struct resolv_found {
	struct slirp_endpoint endpoint[SLIRP_RESOLVERS_MAX];
	unsigned int count;
	char search[SLIRP_SEARCH_SIZE];
};

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

static void resolv_add(struct resolv_found *found, char *text)
{
	struct slirp_endpoint to = { .port = DNS_PORT };
	struct in_addr address;

	if (!text || found->count == SLIRP_RESOLVERS_MAX)
		return;
	if (inet_pton(AF_INET, text, &address) == 1)
		to.address = address_from4(address);
	else if (!resolv_parse6(text, &to))
		return;
	/* 0.0.0.0 stands for the host itself, and answers as 127.0.0.1. */
	if (address_is_any(&to.address))
		to.address = nat_loopback(address_is4(&to.address));
	found->endpoint[found->count++] = to;
}

/* Domains that do not fit are left out, from the first of them on. */
static void resolv_set_search(struct resolv_found *found, char *rest)
{
	size_t used = 0;
	char *name;

	found->search[0] = '\0';
	while ((name = strtok_r(NULL, RESOLV_SPACE, &rest))) {
		size_t size = strlen(name);

		if (used + (used > 0) + size >= sizeof(found->search))
			return;
		if (used)
			found->search[used++] = ' ';
		memcpy(found->search + used, name, size + 1);
		used += size;
	}
}

static void resolv_take_line(struct resolv_found *found, char *line)
{
	char *rest, *key = strtok_r(line, RESOLV_SPACE, &rest);

	if (!key)
		return;
	if (strcmp(key, "nameserver") == 0)
		resolv_add(found, strtok_r(NULL, RESOLV_SPACE, &rest));
	else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0)
		resolv_set_search(found, rest);
}

static void resolv_take_file(struct resolv_found *found, FILE *in)
{
	char line[RESOLV_LINE_MAX];
	bool begins = true;

	while (fgets(line, sizeof(line), in)) {
		bool ends = strchr(line, '\n');

		/* What follows in a line that is too long is not a line. */
		if (begins)
			resolv_take_line(found, line);
		begins = ends;
	}
}

void resolv_parse(FILE *in, struct resolvers *resolvers)
{
	struct resolv_found found = { 0 };

	resolv_take_file(&found, in);
	if (!resolvers->count) {
		resolvers->count = found.count;
		memcpy(resolvers->endpoint, found.endpoint,
		       sizeof(found.endpoint));
	}
	resolvers_set_search(resolvers, found.search);
}

void resolv_read(const char *path, struct resolvers *resolvers)
{
	FILE *file = fopen(path, "re");

	if (!file) {
		resolvers_set_search(resolvers, "");
		return;
	}
	resolv_parse(file, resolvers);
	fclose(file);
}

void resolv_read_search(struct slirp_config *config)
{
	struct resolvers resolvers;

	resolvers_init(&resolvers, config);
	resolv_read(config->resolv_conf, &resolvers);
	memcpy(config->domain, resolvers.domain, sizeof(config->domain));
	memcpy(config->search, resolvers.search, sizeof(config->search));
}
