/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_HOST_FILE_H
#define MQVMM_SCHED_HOST_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/id_set.h"

#define HOST_FILE_TEXT_SIZE                               \
	32768 /* bytes: 4096 CPUs, every other one listed \
	       */

/**
 * struct host_file - Reads files of /sys and /proc, one after the other
 * @root:	Directory that stands for /, "" for / itself
 * @text:	What was read last
 */
struct host_file {
	const char *root;
	char text[HOST_FILE_TEXT_SIZE];
};

/**
 * host_file_read() - Read a file whole
 * @format:	printf format of the path below the root, which begins with /
 *
 * Return: its text, until the next read; NULL if there is no such file, it
 * cannot be read, is empty or larger than HOST_FILE_TEXT_SIZE
 *
 * Context: any thread; reads a file, and never waits for a pipe's writer.
 */
const char *host_file_read(struct host_file *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * host_file_read_set() - Read a file that holds a list of numbers
 * @set:	Filled with what can be understood
 *
 * Return: false, with an empty @set, if that is nothing
 */
bool host_file_read_set(struct host_file *file, struct id_set *set,
			const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * host_file_read_number() - Read a file that begins with a number
 * @number:	Set to it, or to 0
 *
 * Return: false if there is none
 */
bool host_file_read_number(struct host_file *file, uint64_t *number,
			   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * host_file_field() - Find a line's value in a text of "key: value" lines
 * @text:	From host_file_read()
 * @key:	With its colon
 *
 * Return: what follows @key and blanks, NULL if there is no such key
 */
const char *host_file_field(const char *text, const char *key);

#endif
