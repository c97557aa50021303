/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TOPOLOGY_TEXT_INTERNAL_H
#define MQVMM_TOPOLOGY_TEXT_INTERNAL_H

#include "topology_lines.h"
#include "topology_view.h"

#define PICTURE_INDENT    4     /* columns, of cells and lists */
#define PICTURE_CELL_SIZE 16384 /* bytes: 1024 vCPUs and shards on one core */

/**
 * struct picture - A text picture in the making
 * @width:	Columns of the widest cell
 * @cell:	The cell that was made last
 */
struct picture {
	const struct topology_view *view;
	struct lines lines;
	unsigned int width;
	char cell[PICTURE_CELL_SIZE];
};

/**
 * picture_draw_set() - Draw a list of CPUs, with what they are before it
 * @begin:	In a line of its own
 */
void picture_draw_set(struct picture *picture, const char *label,
		      const struct id_set *set, bool begin);

/* topology_cells.c: find the cells' width; draw usable CPUs @first to @end - 1.
 * @heading: a line tells of what; it goes on if none of them has a cell. */
void picture_measure_cells(struct picture *picture);
void picture_draw_cores(struct picture *picture, unsigned int first,
			unsigned int end, bool heading);

#endif
