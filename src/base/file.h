/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BASE_FILE_H
#define MQVMM_BASE_FILE_H

#include <stdio.h>

/**
 * file_replace() - Write a file whole or not at all
 * @path:	Replaced at once when all is written: a reader never sees half
 * @print:	Writes the contents
 * @context:	Passed to @print
 *
 * What does not work is logged, and @path left as it was.
 *
 * Context: any thread; sleeps.
 */
void file_replace(const char *path, void (*print)(void *context, FILE *out),
		  void *context);

/**
 * file_write() - Write a text to a file that exists, as those of /proc
 *
 * Return: 0 or negative errno
 */
int file_write(const char *path, const char *text);

#define FILE_TABLE_SIZE 65536 /* descriptors, of 8 bytes */

/**
 * file_raise_limit() - Let this process open as many files as it is allowed to
 *
 * A flow takes a descriptor; the soft limit is for programs that use select().
 *
 * Room for up to FILE_TABLE_SIZE of them is made at once: what grows the table
 * later, in a process that has threads, waits for a grace period of the
 * kernel's RCU, which is tens of milliseconds.
 *
 * Context: before the first thread is made.
 */
void file_raise_limit(void);

#endif
