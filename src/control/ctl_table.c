/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl_internal.h"

void table_add(struct table *table, const char *fmt, ...)
{
	size_t room = table->room ? 2 * table->room : 256;
	va_list args;
	void *cell;

	if (table->count == table->room) {
		cell = realloc(table->cell, room * sizeof(*table->cell));
		if (!cell)
			return;
		table->cell = cell;
		table->room = room;
	}
	va_start(args, fmt);
	vsnprintf(table->cell[table->count++], sizeof(*table->cell), fmt, args);
	va_end(args);
}

static void table_measure(const struct table *table, int *width)
{
	for (size_t i = 0; i < table->count; i++) {
		int length = (int)strlen(table->cell[i]);

		if (width[i % table->columns] < length)
			width[i % table->columns] = length;
	}
}

void table_print(struct table *table, FILE *out)
{
	int width[TABLE_COLUMNS_MAX] = { 0 };

	table_measure(table, width);
	for (size_t i = 0; i < table->count; i++) {
		unsigned int column = (unsigned int)(i % table->columns);
		bool last = column + 1 == table->columns;
		bool left = table->left >> column & 1;

		/* Nothing behind the last word of a line. */
		if (left && last)
			fputs(table->cell[i], out);
		else
			fprintf(out, left ? "%-*s" : "%*s", width[column],
				table->cell[i]);
		fputs(last ? "\n" : "  ", out);
	}
	free(table->cell);
	memset(table, 0, sizeof(*table));
}
