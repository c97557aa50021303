/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_RESOLV_H
#define MQVMM_SLIRP_RESOLV_H

#include <stdio.h>

#include "slirp/resolvers.h"

/**
 * resolv_parse() - Take nameservers and search domains (resolv.conf(5))
 * @in:		Its text; lines that are not understood are passed over
 * @resolvers:	Endpoints, domain and search domains are filled in where they
 *		are empty
 *
 * Of several "search" and "domain" lines the last one counts. Its first domain
 * is the guest's domain.
 *
 * Context: any thread; looks interfaces up for addresses like fe80::1%eth0.
 */
void resolv_parse(FILE *in, struct resolvers *resolvers);

/* The same for a file; one that cannot be read is like an empty one. */
void resolv_read(const char *path, struct resolvers *resolvers);

/* Complete a configuration's domains by those of its resolv_conf. */
void resolv_read_search(struct slirp_config *config);

#endif
