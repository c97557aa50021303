/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <string.h>

#include "topology_text_internal.h"

static void add_to_cell(struct picture *picture, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_to_cell(struct picture *picture, const char *format, ...)
{
	size_t used = strlen(picture->cell);
	va_list args;

	va_start(args, format);
	vsnprintf(picture->cell + used, PICTURE_CELL_SIZE - used, format, args);
	va_end(args);
}

static void add_threads_to_cell(struct picture *picture, const char *name,
				const struct id_set *threads)
{
	size_t used;

	if (id_set_is_empty(threads))
		return;
	add_to_cell(picture, " %s", name);
	used = strlen(picture->cell);
	id_set_format(threads, picture->cell + used, PICTURE_CELL_SIZE - used);
}

/* Return: the index behind the last CPU of the core of the one at @first */
static unsigned int core_end(const struct topology *topology,
			     unsigned int first, unsigned int end)
{
	unsigned int next = first + 1;

	while (next < end &&
	       topology->cpu[next].core == topology->cpu[first].core)
		next++;
	return next;
}

/* Return: false if the core of CPUs @first to @end - 1 has nothing to run */
static bool make_cell(struct picture *picture, unsigned int first,
		      unsigned int end)
{
	const struct topology_cpu *cpu = picture->view->topology->cpu;
	bool small = cpu[first].kind == TOPOLOGY_EFFICIENCY, busy = false;
	struct topology_threads threads;
	unsigned int others;

	picture->cell[0] = '\0';
	for (unsigned int i = first; i < end; i++) {
		add_to_cell(picture, "%s%u%s",
			    i > first ? " | "
			    : small   ? "("
				      : "[",
			    cpu[i].id, cpu[i].isolated ? "*" : "");
		busy |= topology_view_threads(picture->view, cpu[i].id,
					      &threads);
		add_threads_to_cell(picture, "vcpu", &threads.vcpus);
		add_threads_to_cell(picture, "shard", &threads.shards);
		others = topology_view_others(picture->view, cpu[i].id);
		if (others)
			add_to_cell(picture, " +%u", others);
	}
	add_to_cell(picture, small ? ")" : "]");
	return busy || !picture->view->plan;
}

void picture_measure_cells(struct picture *picture)
{
	const struct topology *topology = picture->view->topology;
	unsigned int end = topology->usable_count;
	size_t width = 0;

	for (unsigned int first = 0, next; first < end; first = next) {
		next = core_end(topology, first, end);
		if (make_cell(picture, first, next) &&
		    strlen(picture->cell) > width)
			width = strlen(picture->cell);
	}
	picture->width = (unsigned int)width;
}

/* Cells in columns, two apart. Return: false if no core has one */
static bool draw_cells(struct picture *picture, unsigned int first,
		       unsigned int end)
{
	unsigned int step = picture->width + 2, cells = 0;
	unsigned int room = picture->lines.columns - PICTURE_INDENT + 1;
	unsigned int in_line = step < room ? room / step : 1;

	for (unsigned int next; first < end; first = next) {
		next = core_end(picture->view->topology, first, end);
		if (!make_cell(picture, first, next))
			continue;
		if (cells % in_line == 0)
			lines_begin(&picture->lines, PICTURE_INDENT);
		lines_put_blanks(&picture->lines,
				 PICTURE_INDENT + cells % in_line * step);
		lines_put_text(&picture->lines, picture->cell);
		cells++;
	}
	return cells > 0;
}

enum idle {
	IDLE,
	IDLE_EFFICIENCY,
	IDLE_ISOLATED,
	IDLE_TAKEN, /* by other guests */
	IDLE_KINDS,
};

static enum idle idle_kind(const struct topology_view *view,
			   const struct topology_cpu *cpu)
{
	if (topology_view_others(view, cpu->id))
		return IDLE_TAKEN;
	if (cpu->isolated)
		return IDLE_ISOLATED;
	return cpu->kind == TOPOLOGY_EFFICIENCY ? IDLE_EFFICIENCY : IDLE;
}

static void find_idle(struct picture *picture, unsigned int first,
		      unsigned int end, struct id_set idle[IDLE_KINDS])
{
	const struct topology *topology = picture->view->topology;

	for (unsigned int next; first < end; first = next) {
		next = core_end(topology, first, end);
		if (make_cell(picture, first, next))
			continue;
		for (unsigned int i = first; i < next; i++)
			id_set_add(&idle[idle_kind(picture->view,
						   &topology->cpu[i])],
				   topology->cpu[i].id);
	}
}

void picture_draw_cores(struct picture *picture, unsigned int first,
			unsigned int end, bool heading)
{
	static const char *const labels[] = { "idle", "idle efficiency",
					      "idle isolated", "other guests" };
	struct id_set idle[IDLE_KINDS] = { 0 };
	bool begin = draw_cells(picture, first, end) || !heading;

	find_idle(picture, first, end, idle);
	for (size_t i = 0; i < IDLE_KINDS; i++)
		picture_draw_set(picture, labels[i], &idle[i], begin);
}
