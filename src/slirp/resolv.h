/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_RESOLV_H
#define MQVMM_SLIRP_RESOLV_H

#include <stdio.h>

#include "slirp/slirp.h"

/**
 * resolv_parse() - Take nameservers and the domain (resolv.conf(5))
 * @in:		Its text; lines that are not understood are passed over
 * @config:	resolver, resolver_count and domain are filled in where they are
 *		empty
 */
void resolv_parse(FILE *in, struct slirp_config *config);

/* The same for the host's /etc/resolv.conf; nothing when it cannot be read. */
void resolv_read_host(struct slirp_config *config);

#endif
