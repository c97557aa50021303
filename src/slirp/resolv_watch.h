/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_RESOLV_WATCH_H
#define MQVMM_SLIRP_RESOLV_WATCH_H

/**
 * resolv_watch_open() - Be told when what a path leads to may have changed
 * @path:	Of a file, which need not exist
 *
 * The file itself is watched, and every directory where it, or a symbolic link
 * on the way to it, could be replaced. When the descriptor becomes readable,
 * close it, open the next one, and then read the file: no change is missed.
 *
 * Return: a descriptor to poll for readability, or negative errno
 *
 * Context: any thread but a shard's; does not sleep for long.
 */
int resolv_watch_open(const char *path);

#endif
