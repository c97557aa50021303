/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/ending.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ending_init(struct ending *ending)
{
	atomic_init(&ending->reason, ENDING_NONE);
	ending->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ending->eventfd < 0 ? -errno : 0;
}

void ending_destroy(struct ending *ending)
{
	close(ending->eventfd);
}

void ending_request(struct ending *ending, enum machine_end reason)
{
	int none = ENDING_NONE;
	int saved_errno = errno; /* signal handlers come here */

	/*
	 * Stored before the eventfd is written, pairs with ending_requested(),
	 * which drains the eventfd before it loads: no request goes unseen.
	 */
	if (reason == MACHINE_END_STOPPED)
		atomic_store(&ending->reason, MACHINE_END_STOPPED);
	else
		atomic_compare_exchange_strong(&ending->reason, &none,
					       (int)reason);
	(void)eventfd_write(ending->eventfd, 1);
	errno = saved_errno;
}

bool ending_requested(struct ending *ending)
{
	eventfd_t count;

	(void)eventfd_read(ending->eventfd, &count);
	return atomic_load(&ending->reason) != ENDING_NONE;
}

enum machine_end ending_take(struct ending *ending)
{
	return (enum machine_end)atomic_exchange(&ending->reason, ENDING_NONE);
}
