/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_PCAP_H
#define MQVMM_SLIRP_PCAP_H

#include <stdint.h>

#include "base/fail.h"

struct slirp;

/* Shortest part of a frame that a capture keeps, bytes. */
#define PCAP_SNAP_MIN 14

/* Smallest file size limit, bytes; there may be a thousand queues to name. */
#define PCAP_LIMIT_MIN (1U << 20)

/**
 * struct pcap_config - Where frames are written to
 * @fd:		File; it is emptied, and becomes the capture's
 * @snap:	Bytes of each frame that are kept, at least PCAP_SNAP_MIN; 0 for
 *		all
 * @limit:	Of the file's size, bytes, at least PCAP_LIMIT_MIN; 0 for none.
 *		Frames behind it are dropped.
 */
struct pcap_config {
	int fd;
	uint32_t snap;
	uint64_t limit;
};

/**
 * struct pcap_result - What a capture has seen
 * @frames:	In the file
 * @dropped:	Not in it: there was no room in a queue's buffer, or the file
 *		was as long as it may be
 * @bytes:	The file's size
 */
struct pcap_result {
	uint64_t frames;
	uint64_t dropped;
	uint64_t bytes;
};

/**
 * slirp_pcap_start() - Write all frames of all queues to a file, as pcapng
 * @fail:	The cause, as a sentence
 *
 * Each queue is an interface "queueN". What the guest sends is outbound.
 *
 * Return: 0; -EBUSY if a capture runs; another negative errno. @config->fd is
 * closed in any case, at last by slirp_pcap_stop().
 *
 * Context: any thread but a shard's; sleeps. One call at a time, with
 * slirp_pcap_stop().
 */
int slirp_pcap_start(struct slirp *slirp, const struct pcap_config *config,
		     struct fail *fail);

/**
 * slirp_pcap_stop() - End the capture: the file is complete, and closed
 * @result:	What it has seen, also after an error in writing
 *
 * slirp_destroy() does so too.
 *
 * Return: 0; -ENOENT if none runs; another negative errno: the file could not
 * be written, and is not complete
 *
 * Context: as slirp_pcap_start().
 */
int slirp_pcap_stop(struct slirp *slirp, struct pcap_result *result,
		    struct fail *fail);

#endif
