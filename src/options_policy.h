/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_POLICY_H
#define MQVMM_OPTIONS_POLICY_H

#include "slirp/slirp.h"

/*
 * Parsers for the table of --net's keys: a value into @slirp. All return 0 or a
 * negative errno, and leave @slirp alone on failure. Context: pure.
 */

/* allow=RULE and deny=RULE, appended in order; default=allow|deny */
int options_parse_allow(const char *value, struct slirp_config *slirp);
int options_parse_deny(const char *value, struct slirp_config *slirp);
int options_parse_default(const char *value, struct slirp_config *slirp);

/* Numbers of flows, and of new ones per second; 0 for no limit */
int options_parse_tcp_flows(const char *value, struct slirp_config *slirp);
int options_parse_udp_flows(const char *value, struct slirp_config *slirp);
int options_parse_icmp_flows(const char *value, struct slirp_config *slirp);
int options_parse_half_open(const char *value, struct slirp_config *slirp);
int options_parse_flow_rate(const char *value, struct slirp_config *slirp);
/* Slots of each shard */
int options_parse_queue_flows(const char *value, struct slirp_config *slirp);
/* Bytes; 0 for what the kernel thinks fit */
int options_parse_flow_memory(const char *value, struct slirp_config *slirp);

#endif
