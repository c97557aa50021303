/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_CONTROL_CTL_INTERNAL_H
#define MQVMM_CONTROL_CTL_INTERNAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/fail.h"

/*
 * What the files of the client share: ctl.c (commands and the socket),
 * ctl_arguments.c (words to
 * requests), ctl_print.c (answers for people), ctl_table.c (columns).
 */

#define TABLE_COLUMNS_MAX 10
#define TABLE_CELL_MAX    64 /* bytes with a NUL; what is longer is cut */

/**
 * struct table - Cells that are printed in columns
 * @columns:	In a row
 * @left:	A bit for each column that begins at the left
 * @count:	Cells so far
 * @room:	Cells that there is memory for
 * @cell:	In the order of printing
 */
struct table {
	unsigned int columns;
	unsigned int left;
	size_t count;
	size_t room;
	char (*cell)[TABLE_CELL_MAX];
};

/* The next cell of the table. Without memory the table stays as it is. */
void table_add(struct table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Print it, and free its memory. */
void table_print(struct table *table, FILE *out);

/* ctl_arguments.c: the words behind a command's own, as its request's
 * arguments. Return: 0 or negative errno */

int ctl_take_none(int argc, char **argv, cJSON *arguments, struct fail *fail);
int ctl_take_forward(int argc, char **argv, cJSON *arguments,
		     struct fail *fail);
int ctl_take_policy(int argc, char **argv, cJSON *arguments, struct fail *fail);
int ctl_take_limits(int argc, char **argv, cJSON *arguments, struct fail *fail);
int ctl_take_capture(int argc, char **argv, cJSON *arguments,
		     struct fail *fail);

/* ctl_print.c: what each command's "return" looks like */

/* There is nothing to tell. */
void ctl_print_done(const cJSON *value, FILE *out);
/* Names and numbers; objects in an array beside each other. */
void ctl_print_stats(const cJSON *value, FILE *out);
void ctl_print_forward(const cJSON *value, FILE *out);
void ctl_print_forwards(const cJSON *value, FILE *out);
void ctl_print_policy(const cJSON *value, FILE *out);
void ctl_print_flows(const cJSON *value, FILE *out);

#endif
