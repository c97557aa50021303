/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_command.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "sched/registry.h"
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

/* Return: what this user's other guests have, NULL if that cannot be told */
static struct placement_taken *read_taken(void)
{
	struct placement_taken *taken = calloc(1, sizeof(*taken));
	struct registry *registry = registry_open(NULL);

	if (taken && registry && !registry_lock(registry)) {
		registry_read(registry, taken);
		registry_unlock(registry);
	} else {
		free(taken);
		taken = NULL;
	}
	registry_close(registry);
	return taken;
}

static int draw_guest(const struct topology_config *config,
		      struct topology_view *view, FILE *out, struct fail *fail)
{
	struct placement *plan = calloc(1, sizeof(*plan));
	int ret = -ENOMEM;

	if (plan)
		ret = placement_plan(view->topology, &config->place,
				     view->taken, plan, fail);
	view->plan = plan;
	if (!ret)
		ret = draw(view, config->format, out);
	free(plan);
	return ret;
}

int topology_run(const struct topology_config *config, FILE *out,
		 struct fail *fail)
{
	struct topology_view view = { 0 };
	struct placement_taken *taken = NULL;
	struct topology *topology;
	int ret = topology_read(config->from, &topology, fail);

	if (ret)
		return ret;
	if (!*config->from && config->place.registry)
		taken = read_taken();
	view.topology = topology;
	view.taken = taken;
	ret = config->guest ? draw_guest(config, &view, out, fail)
			    : draw(&view, config->format, out);
	free(taken);
	topology_free(topology);
	return ret ? fail_set(fail, ret, "no memory to draw the host in") : 0;
}
