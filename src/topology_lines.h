/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TOPOLOGY_LINES_H
#define MQVMM_TOPOLOGY_LINES_H

#include <stdio.h>

#include "sched/id_set.h"

/**
 * struct lines - Lines of text that keep within a width
 * @columns:	The width
 * @at:		Column that is written next
 * @indent:	Of this line, and of those that it goes on in
 */
struct lines {
	FILE *out;
	unsigned int columns;
	unsigned int at;
	unsigned int indent;
};

/* End the line, and begin the next one. */
void lines_begin(struct lines *lines, unsigned int indent);

/* A text, which may go on in another line behind commas and before blanks */
void lines_put_text(struct lines *lines, const char *text);

/* The same for at most 255 bytes of what printf would write */
void lines_put(struct lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a blank and a list like 0-3,8 */
void lines_put_set(struct lines *lines, const struct id_set *set);

/* Blanks up to column @to */
void lines_put_blanks(struct lines *lines, unsigned int to);

#endif
