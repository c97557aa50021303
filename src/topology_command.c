/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_command.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "topology_view.h"

#define COLUMNS_MIN 40
#define COLUMNS_MAX 100

static unsigned int text_columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) || !size.ws_col ||
	    size.ws_col > COLUMNS_MAX)
		return COLUMNS_MAX;
	return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

static int draw(const struct topology_view *view, enum topology_format format,
		FILE *out)
{
	switch (format) {
	case TOPOLOGY_JSON:
		return topology_draw_json(view, out);
	case TOPOLOGY_DOT:
		return topology_draw_dot(view, out);
	default:
		return topology_draw_text(view, text_columns(out), out);
	}
}

/* Return: the guest's plan, NULL without memory */
static struct placement *plan(const struct topology_config *config,
			      const struct topology *topology)
{
	struct placement *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->pinned = config->place;
	if (config->place)
		placement_plan(topology, config->machine.topology.cpus,
			       config->queues, plan);
	return plan;
}

int topology_run(const struct topology_config *config, FILE *out,
		 struct fail *fail)
{
	struct topology_view view = { 0 };
	struct topology *topology;
	struct placement *placed = NULL;
	int ret = topology_read(config->from, &topology, fail);

	if (ret)
		return ret;
	view.topology = topology;
	if (config->guest) {
		placed = plan(config, topology);
		view.plan = placed;
		view.vcpus = config->machine.topology.cpus;
		view.shards = config->queues;
		view.memory_bytes = config->machine.memory_size;
	}
	if (config->guest && !placed)
		ret = -ENOMEM;
	else
		ret = draw(&view, config->format, out);
	free(placed);
	topology_free(topology);
	return ret ? fail_set(fail, ret, "no memory to draw the host in") : 0;
}
