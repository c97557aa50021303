/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolv.h"

#include <arpa/inet.h>
#include <string.h>

#define DNS_PORT     53
#define RESOLV_SPACE " \t\r\n"

static void resolv_add(struct slirp_config *config, const char *text)
{
	struct sockaddr_in *to = &config->resolver[config->resolver_count];
	struct in_addr address;

	if (config->resolver_count == SLIRP_RESOLVERS_MAX ||
	    inet_pton(AF_INET, text, &address) != 1)
		return;
	/* 0.0.0.0 stands for the host itself, and answers as 127.0.0.1. */
	if (!address.s_addr)
		address.s_addr = htonl(INADDR_LOOPBACK);
	*to = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons(DNS_PORT),
		.sin_addr = address,
	};
	config->resolver_count++;
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
