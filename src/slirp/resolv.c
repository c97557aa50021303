/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolv.h"

#include <arpa/inet.h>
#include <string.h>

#define DNS_PORT 53

static void resolv_add(struct slirp_config *config, const char *text)
{
	struct sockaddr_in *to = &config->resolver[config->resolver_count];

	if (config->resolver_count == SLIRP_RESOLVERS_MAX)
		return;
	*to = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons(DNS_PORT) };
	if (inet_pton(AF_INET, text, &to->sin_addr) == 1)
		config->resolver_count++;
}

void resolv_parse(FILE *in, struct slirp_config *config)
{
	char line[512], *word, *rest;

	config->resolver_count = 0;
	while (fgets(line, sizeof(line), in)) {
		word = strtok_r(line, " \t\r\n", &rest);
		if (!word || strcmp(word, "nameserver") != 0)
			continue;
		word = strtok_r(NULL, " \t\r\n", &rest);
		if (word)
			resolv_add(config, word);
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
