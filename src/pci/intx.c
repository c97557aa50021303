/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci/intx.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "pci/event.h"

/*
 * Theory of operation
 *
 * The line is asserted through an eventfd and stays so until the guest's EOI,
 * when KVM lowers it and signals the resample eventfd. A small thread waits for
 * that and asserts the line again if the device has something new to tell. The
 * thread exists only while the line is connected: a guest that uses MSI-X never
 * pays for it.
 *
 * The device sets its state first and signals second; the thread clears the
 * resample eventfd first and looks at the state second. So a change beside an
 * EOI is seen by at least one of them.
 */

static void *resample(void *context)
{
	struct intx *intx = context;
	struct pollfd eoi = { .fd = intx->resamplefd, .events = POLLIN };

	for (;;) {
		poll(&eoi, 1, -1);
		event_clear(intx->resamplefd);
		/* Pairs with disconnect(). */
		if (atomic_load_explicit(&intx->stopping, memory_order_acquire))
			return NULL;
		if (intx->asserted(intx->context))
			event_signal(intx->eventfd);
	}
}

/* Signals to the process are for the main thread. */
static int start_thread(struct intx *intx)
{
	sigset_t all;
	sigset_t before;
	int rc;

	atomic_store_explicit(&intx->stopping, false, memory_order_relaxed);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&intx->thread, NULL, resample, intx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static void stop_thread(struct intx *intx)
{
	/* Pairs with resample(). */
	atomic_store_explicit(&intx->stopping, true, memory_order_release);
	event_signal(intx->resamplefd);
	pthread_join(intx->thread, NULL);
}

static int connect(struct intx *intx)
{
	int rc;

	event_clear(intx->eventfd);
	event_clear(intx->resamplefd);
	rc = intx->irq->ops->intx_connect(intx->irq, intx->gsi, intx->eventfd,
					  intx->resamplefd);
	if (rc < 0)
		return rc;
	rc = start_thread(intx);
	if (rc < 0) {
		intx->irq->ops->intx_disconnect(
			intx->irq, intx->gsi, intx->eventfd, intx->resamplefd);
		return rc;
	}
	if (intx->asserted(intx->context))
		event_signal(intx->eventfd);
	return 0;
}

static void disconnect(struct intx *intx)
{
	stop_thread(intx);
	intx->irq->ops->intx_disconnect(intx->irq, intx->gsi, intx->eventfd,
					intx->resamplefd);
}

int intx_init(struct intx *intx, struct irq_controller *irq, int gsi,
	      bool (*asserted)(void *context), void *context)
{
	int rc;

	intx->irq = irq;
	intx->gsi = gsi;
	intx->asserted = asserted;
	intx->context = context;
	intx->connected = false;
	intx->resamplefd = -1;
	intx->eventfd = event_create();
	if (intx->eventfd < 0)
		return intx->eventfd;
	intx->resamplefd = event_create();
	if (intx->resamplefd < 0) {
		rc = intx->resamplefd;
		event_destroy(intx->eventfd);
		intx->eventfd = -1;
		return rc;
	}
	return 0;
}

void intx_destroy(struct intx *intx)
{
	(void)intx_set_connected(intx, false);
	event_destroy(intx->eventfd);
	event_destroy(intx->resamplefd);
}

int intx_set_connected(struct intx *intx, bool connected)
{
	int rc = 0;

	if (connected == intx->connected)
		return 0;
	if (connected)
		rc = connect(intx);
	else
		disconnect(intx);
	if (rc == 0)
		intx->connected = connected;
	return rc;
}

void intx_assert(struct intx *intx)
{
	event_signal(intx->eventfd);
}
