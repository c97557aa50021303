/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_ID_SET_H
#define MQVMM_SCHED_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SET_MAX 4096 /* ids are below */

/**
 * struct id_set - A set of the kernel's numbers of CPUs, or of nodes
 * @word:	A bit each; all zero is the empty set
 *
 * cpu_set_t ends at 1023.
 */
struct id_set {
	uint64_t word[ID_SET_MAX / 64];
};

/* An @id of ID_SET_MAX or more is in no set. */
bool id_set_has(const struct id_set *set, unsigned int id);
void id_set_add(struct id_set *set, unsigned int id);
void id_set_intersect(struct id_set *set, const struct id_set *other);
bool id_set_is_empty(const struct id_set *set);

/**
 * id_set_parse() - Read a list like "0-3,8,10-12", as the kernel writes them
 * @text:	May end with a newline; an empty one is the empty set
 * @set:	Filled; after an error with what came before it
 *
 * Return: 0; -EINVAL for another text; -ERANGE when ids of ID_SET_MAX or more
 * are in it, which are left out
 *
 * Context: pure.
 */
int id_set_parse(const char *text, struct id_set *set);

/**
 * id_set_next_range() - Walk through a set's ranges
 * @first:	To begin with 0; then from @end of the range before. Set to the
 *		range's first id
 * @end:	Set to the id behind its last
 *
 * Return: false when there is no more
 */
bool id_set_next_range(const struct id_set *set, unsigned int *first,
		       unsigned int *end);

/**
 * id_set_format() - Write a set as such a list
 * @text:	Where to; always terminated, "" for the empty set
 * @size:	Of @text, bytes
 *
 * Return: 0, or -ENOSPC with @text holding whole ranges that fitted
 *
 * Context: pure.
 */
int id_set_format(const struct id_set *set, char *text, size_t size);

#endif
