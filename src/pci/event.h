/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_PCI_EVENT_H
#define MQVMM_PCI_EVENT_H

#include <stdint.h>

/**
 * event_create() - Make an eventfd with a count of 0
 *
 * It never blocks a writer: a count that is at its maximum is pending anyway.
 *
 * Return: the eventfd or negative errno
 */
int event_create(void);

/**
 * event_destroy() - Close it
 * @eventfd:	May be -1
 */
void event_destroy(int eventfd);

/**
 * event_signal() - Add 1 to the count
 *
 * Context: any thread, lock-free, one system call, does not sleep.
 */
void event_signal(int eventfd);

/**
 * event_clear() - Forget what is pending
 *
 * Context: any thread, does not sleep.
 */
void event_clear(int eventfd);

/**
 * event_pending() - Which of up to 64 eventfds have a count?
 * @eventfd:	@count eventfds
 *
 * Return: bit i is set if @eventfd[i] is pending
 *
 * Context: any thread, one system call, does not sleep.
 */
uint64_t event_pending(const int *eventfd, unsigned int count);

#endif
