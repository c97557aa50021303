/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_FUZZ_QUEUE_H
#define MQVMM_FUZZ_QUEUE_H

#include "slirp/port.h"

#define QUEUE_FRAMES_MAX 128 /* that either side holds at a time */

/* Each segment in memory of its own, so that a sanitizer sees its end. */
struct queue_frame {
	struct iovec iov[3];
	unsigned int iov_count;
	size_t length;
	struct port_offload offload;
	bool used;
};

/**
 * struct queue - A port whose guest is the input
 * @features:	What the shard is told
 * @space:	Frames that the guest can still receive
 * @split:	Where frames both ways are cut into segments, bytes; 0 for not
 * @tx, @tx_first, @tx_count: Frames that the guest transmits, a ring
 * @taken:	Those that the shard holds
 * @reserved:	Space that the shard holds
 * @received:	Told of each frame to the guest
 */
struct queue {
	struct port port;
	int kick_fd;
	struct port_features features;
	unsigned int space;
	size_t split;
	struct queue_frame tx[QUEUE_FRAMES_MAX];
	unsigned int tx_first, tx_count;
	struct queue_frame taken[QUEUE_FRAMES_MAX];
	struct queue_frame reserved[QUEUE_FRAMES_MAX];
	void (*received)(void *context, const struct port_frame *frame);
	void *context;
};

void queue_begin(struct queue *queue);
void queue_end(struct queue *queue);

/* Have the guest transmit a frame; lost if too many wait. */
void queue_transmit(struct queue *queue, const void *frame, size_t length,
		    const struct port_offload *offload);

/* Does the shard hold nothing, as between two turns? */
bool queue_is_idle(const struct queue *queue);

#endif
