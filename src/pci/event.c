/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci/event.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 64

int event_create(void)
{
	int eventfd_or_error = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return eventfd_or_error < 0 ? -errno : eventfd_or_error;
}

void event_destroy(int eventfd)
{
	if (eventfd >= 0)
		close(eventfd);
}

void event_signal(int eventfd)
{
	const uint64_t one = 1;
	/* It can only fail where the count is at its maximum. */
	ssize_t written = write(eventfd, &one, sizeof(one));

	(void)written;
}

void event_clear(int eventfd)
{
	uint64_t count;
	/* It can only fail where the count is 0. */
	ssize_t taken = read(eventfd, &count, sizeof(count));

	(void)taken;
}

uint64_t event_pending(const int *eventfd, unsigned int count)
{
	struct pollfd readable[EVENTS_MAX];
	uint64_t pending = 0;

	if (count > EVENTS_MAX)
		count = EVENTS_MAX;
	for (unsigned int i = 0; i < count; i++)
		readable[i] =
			(struct pollfd) { .fd = eventfd[i], .events = POLLIN };
	if (poll(readable, count, 0) <= 0)
		return 0;
	for (unsigned int i = 0; i < count; i++)
		if (readable[i].revents & POLLIN)
			pending |= 1ULL << i;
	return pending;
}
