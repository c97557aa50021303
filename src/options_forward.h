/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_FORWARD_H
#define MQVMM_OPTIONS_FORWARD_H

#include "base/fail.h"
#include "options_text.h"
#include "slirp/slirp.h"

/*
 * Forwards as people write them, on the command line and at run time. Context:
 * pure.
 */

/**
 * options_parse_forward() - [tcp|udp]:[hostaddr]:hostport[-last]-[guestaddr]:
 *		guestport, as QEMU has it, and ranges
 * @forward:	Filled in; what is left out stays open: hostaddr and guestaddr
 *		are ::, for slirp_forward_check() to complete
 * @fail:	What is wrong, and what would be right
 *
 * Addresses of IPv6 are in brackets.
 *
 * Return: 0 or -EINVAL
 */
int options_parse_forward(const char *text, struct slirp_forward *forward,
			  struct fail *fail);

/**
 * options_parse_guest_forward() - [tcp]:server:port-tcp:host:port, or
 *		[tcp]:server:port-unix:/path
 *
 * Return: 0 or -EINVAL
 */
int options_parse_guest_forward(const char *text,
				struct slirp_guest_forward *forward,
				struct fail *fail);

/**
 * options_set_forward() - Take hostfwd= or guestfwd= of --net
 *
 * Return: 0, -EINVAL, or -ENOENT if it is another key
 */
int options_set_forward(const struct options_pair *pair,
			struct slirp_config *slirp, struct fail *fail);

/* Complete and check them, once the guest's addresses are known. */
int options_check_forwards(struct slirp_config *slirp, struct fail *fail);

#endif
