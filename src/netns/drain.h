/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_DRAIN_H
#define MQVMM_NETNS_DRAIN_H

#include <signal.h>

/**
 * drain_connections() - Wait until what programs sent before they ended is out
 * @stop:	Blocked signals that end the wait
 *
 * A connection whose program has ended lives on in the kernel of the namespace
 * until its last byte and its FIN are acknowledged, as long as the namespace
 * itself does. Waits while that makes progress; two seconds without end it.
 */
void drain_connections(const sigset_t *stop);

#endif
