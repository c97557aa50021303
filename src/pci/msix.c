/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci/msix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "pci/event.h"

/*
 * Theory of operation
 *
 * A vector is an eventfd. While the guest lets the vector through, the eventfd
 * is connected to an MSI route and a signal becomes an interrupt in the kernel.
 * While it is masked the eventfd is connected to nothing and keeps its count:
 * this count *is* the pending bit, and connecting delivers it. So whoever
 * signals never looks at the mask, and nothing can fall between the two.
 *
 * Races, all decided by the order in which the interrupt controller sees them:
 * - A signal beside a masking write arrives before it, or is pending after it.
 *   When the guest's write has returned no more interrupt comes: disconnecting
 *   waits for injections in flight.
 * - A masked vector's message is handed on when it is unmasked, before the
 *   eventfd is connected: what was pending goes to the new address, never to
 *   the old one. This is how a guest moves an interrupt to another CPU.
 * - The guest may not change the message of an unmasked vector (PCI 3.0,
 *   6.8.3.5). If it does, every single write takes effect at once.
 *
 * A route is reserved when the vector is first unmasked, and given back when
 * MSI-X is disabled. If there is no more of them, the vector stays pending and
 * the next write to it tries again.
 */

#define ENTRY_SIZE      16 /* bytes of the table, PCI 3.0, 6.8.2.6 */
#define ENTRY_CONTROL   12
#define CONTROL_MASK    1U
#define ADDRESS_MASK    0xfffffffcU /* messages are aligned doublewords */
#define PENDING_GROUP   64          /* vectors per quadword of pending bits */
#define TABLE_SPACE_MIN 2048        /* so that the BAR is a page at least */

/* One entry as the guest sees it; x86 is little-endian as PCI is. */
struct msix_entry {
	uint32_t address_low;
	uint32_t address_high;
	uint32_t data;
	uint32_t control;
};

_Static_assert(sizeof(struct msix_entry) == ENTRY_SIZE, "layout of the table");

/**
 * struct msix_vector - What the controller knows of one vector
 * @gsi:	Its route, -1 while none is reserved
 * @connected:	The eventfd injects
 */
struct msix_vector {
	int gsi;
	bool connected;
};

/**
 * struct msix - A function's MSI-X
 * @irq:	Where interrupts go
 * @vectors:	Entries of the following
 * @space:	Bytes set aside for the table, as many for the pending bits
 * @enabled, @masked: Of the whole function
 * @entry:	The table
 * @vector:	Its connections
 * @eventfd:	Its signals, constant
 * @log:	For vectors that cannot be connected
 */
struct msix {
	struct irq_controller *irq;
	unsigned int vectors;
	uint32_t space;
	bool enabled;
	bool masked;
	struct msix_entry *entry;
	struct msix_vector *vector;
	int *eventfd;
	struct log_limit log;
};

static void clear_table(struct msix *msix)
{
	memset(msix->entry, 0, msix->vectors * sizeof(*msix->entry));
	for (unsigned int i = 0; i < msix->vectors; i++)
		msix->entry[i].control = CONTROL_MASK;
}

static void disconnect(struct msix *msix, unsigned int i)
{
	struct msix_vector *vector = &msix->vector[i];

	if (!vector->connected)
		return;
	msix->irq->ops->msi_disconnect(msix->irq, vector->gsi,
				       msix->eventfd[i]);
	vector->connected = false;
}

static int connect(struct msix *msix, unsigned int i)
{
	const struct irq_controller_ops *ops = msix->irq->ops;
	const struct msix_entry *entry = &msix->entry[i];
	struct msix_vector *vector = &msix->vector[i];
	struct msi_message message = {
		.address = (uint64_t)entry->address_high << 32 |
			   entry->address_low,
		.data = entry->data,
	};
	int rc;

	if (vector->gsi < 0)
		vector->gsi = ops->route_alloc(msix->irq);
	if (vector->gsi < 0)
		return vector->gsi;
	rc = ops->route_set(msix->irq, vector->gsi, &message);
	if (rc == 0 && !vector->connected) {
		rc = ops->msi_connect(msix->irq, vector->gsi, msix->eventfd[i]);
		vector->connected = rc == 0;
	}
	return rc;
}

static void complain(struct msix *msix, unsigned int i, int rc)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (log_limit_pass(&msix->log, (uint64_t)now.tv_sec))
		log_line(
			"interrupt vector %u has no route, it stays pending: %s",
			i, strerror(-rc));
}

/* Make the connection what the guest's registers say. */
static void update(struct msix *msix, unsigned int i)
{
	int rc;

	if (!msix->enabled || msix->masked ||
	    (msix->entry[i].control & CONTROL_MASK)) {
		disconnect(msix, i);
		return;
	}
	rc = connect(msix, i);
	if (rc < 0)
		complain(msix, i, rc);
}

static void release(struct msix *msix)
{
	for (unsigned int i = 0; i < msix->vectors; i++) {
		disconnect(msix, i);
		if (msix->vector[i].gsi >= 0)
			msix->irq->ops->route_free(msix->irq,
						   msix->vector[i].gsi);
		msix->vector[i].gsi = -1;
	}
}

static int create_eventfds(struct msix *msix)
{
	for (unsigned int i = 0; i < msix->vectors; i++)
		msix->eventfd[i] = -1;
	for (unsigned int i = 0; i < msix->vectors; i++) {
		msix->eventfd[i] = event_create();
		if (msix->eventfd[i] < 0)
			return msix->eventfd[i];
		msix->vector[i].gsi = -1;
	}
	return 0;
}

static void free_all(struct msix *msix)
{
	for (unsigned int i = 0; msix->eventfd && i < msix->vectors; i++)
		event_destroy(msix->eventfd[i]);
	free(msix->eventfd);
	free(msix->vector);
	free(msix->entry);
	free(msix);
}

int msix_create(unsigned int vectors, struct irq_controller *irq,
		struct msix **out)
{
	struct msix *msix;
	int rc = -ENOMEM;

	if (vectors < 1 || vectors > MSIX_VECTORS_MAX)
		return -EINVAL;
	msix = calloc(1, sizeof(*msix));
	if (!msix)
		return -ENOMEM;
	msix->irq = irq;
	msix->vectors = vectors;
	msix->space = TABLE_SPACE_MIN;
	while (msix->space < vectors * ENTRY_SIZE)
		msix->space *= 2;
	msix->entry = calloc(vectors, sizeof(*msix->entry));
	msix->vector = calloc(vectors, sizeof(*msix->vector));
	msix->eventfd = calloc(vectors, sizeof(*msix->eventfd));
	if (msix->entry && msix->vector && msix->eventfd)
		rc = create_eventfds(msix);
	if (rc < 0) {
		free_all(msix);
		return rc;
	}
	clear_table(msix);
	*out = msix;
	return 0;
}

void msix_destroy(struct msix *msix)
{
	if (!msix)
		return;
	release(msix);
	free_all(msix);
}

unsigned int msix_vectors(const struct msix *msix)
{
	return msix->vectors;
}

int msix_vector_fd(const struct msix *msix, unsigned int vector)
{
	return msix->eventfd[vector];
}

uint64_t msix_bar_size(const struct msix *msix)
{
	return 2ULL * msix->space;
}

uint32_t msix_pba_offset(const struct msix *msix)
{
	return msix->space;
}

/* A connected eventfd may still hold a count that was delivered. */
static uint64_t pending_group(const struct msix *msix, unsigned int group)
{
	unsigned int first = group * PENDING_GROUP;
	unsigned int count = msix->vectors - first;
	uint64_t pending;

	if (count > PENDING_GROUP)
		count = PENDING_GROUP;
	pending = event_pending(&msix->eventfd[first], count);
	for (unsigned int i = 0; i < count; i++)
		if (msix->vector[first + i].connected)
			pending &= ~(1ULL << i);
	return pending;
}

static uint8_t pending_byte(const struct msix *msix, uint64_t offset,
			    uint64_t *group_bits, unsigned int *group_known)
{
	uint64_t group = offset / sizeof(uint64_t);

	if (group * PENDING_GROUP >= msix->vectors)
		return 0;
	if (group != *group_known) {
		*group_bits = pending_group(msix, (unsigned int)group);
		*group_known = (unsigned int)group;
	}
	return (uint8_t)(*group_bits >> (offset % sizeof(uint64_t) * 8));
}

void msix_read(struct msix *msix, uint64_t offset, void *data,
	       unsigned int size)
{
	const uint8_t *table = (const uint8_t *)msix->entry;
	uint64_t table_size = (uint64_t)msix->vectors * ENTRY_SIZE;
	unsigned int group_known = UINT32_MAX;
	uint64_t group_bits = 0;
	uint8_t *out = data;

	for (unsigned int i = 0; i < size; i++) {
		uint64_t at = offset + i;

		if (at < table_size)
			out[i] = table[at];
		else if (at >= msix->space && at < msix_bar_size(msix))
			out[i] = pending_byte(msix, at - msix->space,
					      &group_bits, &group_known);
		else
			out[i] = 0;
	}
}

void msix_write(struct msix *msix, uint64_t offset, const void *data,
		unsigned int size)
{
	uint64_t table_size = (uint64_t)msix->vectors * ENTRY_SIZE;
	unsigned int i;

	if (offset >= table_size)
		return;
	if (size > table_size - offset)
		size = (unsigned int)(table_size - offset);
	memcpy((uint8_t *)msix->entry + offset, data, size);
	for (i = (unsigned int)(offset / ENTRY_SIZE);
	     i <= (offset + size - 1) / ENTRY_SIZE; i++) {
		msix->entry[i].address_low &= ADDRESS_MASK;
		msix->entry[i].control &= CONTROL_MASK;
		update(msix, i);
	}
}

void msix_set_control(struct msix *msix, bool enabled, bool masked)
{
	if (enabled == msix->enabled && masked == msix->masked)
		return;
	msix->enabled = enabled;
	msix->masked = masked;
	if (!enabled)
		release(msix);
	for (unsigned int i = 0; enabled && i < msix->vectors; i++)
		update(msix, i);
}

void msix_forget_pending(struct msix *msix, unsigned int vector)
{
	if (!msix->vector[vector].connected)
		event_clear(msix->eventfd[vector]);
}

void msix_reset(struct msix *msix)
{
	msix_set_control(msix, false, false);
	clear_table(msix);
	for (unsigned int i = 0; i < msix->vectors; i++)
		event_clear(msix->eventfd[i]);
}
