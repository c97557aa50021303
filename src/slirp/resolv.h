/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_RESOLV_H
#define MQVMM_SLIRP_RESOLV_H

#include <stdio.h>

#include "slirp/slirp.h"

/**
 * resolv_parse() - Take the IPv4 nameservers of a resolv.conf (resolv.conf(5))
 * @in:		Its text; lines that are not understood are passed over
 * @config:	resolver and resolver_count are filled in
 */
void resolv_parse(FILE *in, struct slirp_config *config);

/* The same for the host's /etc/resolv.conf; none when it cannot be read. */
void resolv_read_host(struct slirp_config *config);

#endif
