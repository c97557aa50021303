/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_DNS_H
#define MQVMM_LOAD_DNS_H

#include "options.h"

/**
 * dns_run() - Answer DNS queries over UDP and TCP until SIGTERM or --seconds
 * @options:	Where to serve
 *
 * Every name has the address 192.0.2.7 (RFC 5737), except that names which
 * start with "nx" do not exist. Prints "port N" once it serves.
 *
 * Return: exit status of the process
 */
int dns_run(const struct options *options);

#endif
