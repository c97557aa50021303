/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_INSIDE_H
#define MQVMM_NETNS_INSIDE_H

#include "netns/namespace.h"

/**
 * struct inside_report - How the set-up went, first thing that is sent out
 * @result:	0 or negative errno
 * @fail:	Set where @result is not 0
 *
 * After a good one, each queue's descriptor follows in a message of an int.
 */
struct inside_report {
	int result;
	struct fail fail;
};

/**
 * struct inside_user - Who the caller is outside of a new user namespace
 */
struct inside_user {
	uid_t uid;
	gid_t gid;
};

/**
 * inside_main() - The new process's life
 * @user:	It is in a new user namespace, whose root this user becomes;
 *		NULL: it is not
 * @sock:	To namespace.c
 *
 * Sets the namespace up, reports, waits for the word to start, then is the
 * namespace's init (init.h) or, without a command, ends.
 */
_Noreturn void inside_main(const struct namespace_plan *plan,
			   const struct inside_user *user, int sock);

#endif
