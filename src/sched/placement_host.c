/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sched/registry.h"

static void tell_alone(int err)
{
	log_line("placed without regard to other guests: their registry cannot "
		 "be used (%s)",
		 strerror(err));
}

static struct registry *open_registry(const struct placement_request *request)
{
	struct registry *registry;

	if (!request->registry || request->policy == PLACEMENT_NONE)
		return NULL;
	registry = registry_open(NULL);
	if (!registry)
		tell_alone(errno);
	return registry;
}

static int plan_beside(const struct topology *topology,
		       const struct placement_request *request,
		       struct placement *plan, struct registry *registry,
		       struct fail *fail)
{
	struct placement_taken *taken = calloc(1, sizeof(*taken));
	int ret;

	if (!taken)
		return fail_set(fail, -ENOMEM, "no memory to plan in");
	registry_read(registry, taken);
	ret = placement_plan(topology, request, taken, plan, fail);
	free(taken);
	if (!ret && registry_write(registry, plan))
		log_line("other guests cannot be told of this one's CPUs");
	return ret;
}

int placement_plan_again(const struct topology *topology,
			 const struct placement_request *request,
			 struct placement *plan, struct registry *registry,
			 struct fail *fail)
{
	int ret = registry ? registry_lock(registry) : 0;

	if (ret)
		tell_alone(-ret);
	if (ret || !registry)
		return placement_plan(topology, request, NULL, plan, fail);
	ret = plan_beside(topology, request, plan, registry, fail);
	registry_unlock(registry);
	return ret;
}

int placement_plan_host(const struct placement_request *request,
			struct placement *plan, struct registry **registry,
			struct fail *fail)
{
	struct topology *topology;
	int ret = topology_read("", &topology, fail);

	*registry = NULL;
	if (ret)
		return ret;
	*registry = open_registry(request);
	ret = placement_plan_again(topology, request, plan, *registry, fail);
	topology_free(topology);
	return ret;
}
