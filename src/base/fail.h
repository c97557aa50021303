/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BASE_FAIL_H
#define MQVMM_BASE_FAIL_H

/**
 * struct fail - Why a start-up step failed, in one sentence to print
 * @text:	Cause and remedy, without a final newline; empty when unset
 */
struct fail {
	char text[512];
};

/**
 * fail_set() - Note why a start-up step failed, unless a cause is noted already
 * @fail:	Where to note it, may be NULL
 * @err:	Negative errno to pass on
 * @fmt:	One sentence: the cause, and what the user can do about it
 *
 * Return: @err, so that callers can write `return fail_set(...)`
 *
 * Context: any thread, does not sleep.
 */
int fail_set(struct fail *fail, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
