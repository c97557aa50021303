/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_RESOLV_CONF_H
#define MQVMM_NETNS_RESOLV_CONF_H

#include "slirp/slirp.h"

/**
 * struct resolv_conf - The namespace's own /etc/resolv.conf
 * @file:	It, to be mounted again; -1 if it cannot be
 * @watch:	inotify(7) descriptor, -1 for none
 */
struct resolv_conf {
	int file;
	int watch;
};

/**
 * resolv_conf_mount() - Mount a resolv.conf of our own, and a new /proc
 * @slirp:	Which families and resolvers there are, and search domains
 * @conf:	To fill
 *
 * Return: 0 or negative errno
 *
 * Context: first process of its process and mount namespaces.
 */
int resolv_conf_mount(const struct slirp_config *slirp,
		      struct resolv_conf *conf);

/* Have @signal sent to this process when the host's may have been replaced. */
void resolv_conf_watch(struct resolv_conf *conf, int signal);

/* Mount ours again where the host's was replaced; takes the events in. */
void resolv_conf_restore(const struct resolv_conf *conf);

#endif
