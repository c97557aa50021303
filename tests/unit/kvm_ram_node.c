/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest RAM in cells that come from nodes of this host. */
#include <errno.h>
#include <numaif.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kvm/ram.h"

#define MIB       (1ULL << 20)
#define CELL_SIZE (4 * MIB)
#define TERABYTES (256ULL << 40)
#define NO_NODE   1000 /* no host has so many */

struct rig {
	struct placement placement;
	struct guest_memory memory;
};

/* Three cells: strictly from node 0, preferably from it, from anywhere. */
static int setup(void **state)
{
	struct rig *rig = test_calloc(1, sizeof(*rig));
	struct placement *placement = &rig->placement;

	placement->vcpus = 3;
	placement->cell_count = 3;
	for (unsigned int i = 0; i < 3; i++) {
		placement->vcpu_cell[i] = i;
		placement->cell[i].start = i * CELL_SIZE;
		placement->cell[i].bytes = CELL_SIZE;
	}
	placement->cell[0].strict = true;
	id_set_add(&placement->cell[0].nodes, 0);
	id_set_add(&placement->cell[1].nodes, 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	ram_free(&rig->memory);
	test_free(rig);
	return 0;
}

static void alloc(struct rig *rig)
{
	struct fail fail = { "" };

	if (ram_alloc(&rig->memory, 3 * CELL_SIZE, MACHINE_PAGES_DEFAULT,
		      &rig->placement, &fail) < 0)
		fail_msg("%s", fail.text);
}

/* The policy of @cell's last byte. */
static int policy_of(const struct rig *rig, unsigned int cell)
{
	unsigned long nodes[ID_SET_MAX / (8 * sizeof(unsigned long))];
	uint8_t *at =
		guest_memory_at(&rig->memory, (cell + 1) * CELL_SIZE - 1, 1);
	int policy;

	if (get_mempolicy(&policy, nodes, ID_SET_MAX, at, MPOL_F_ADDR))
		skip(); /* no NUMA in this kernel, or not for us */
	return policy;
}

static void each_cell_has_its_own_policy(void **state)
{
	struct rig *rig = *state;

	alloc(rig);
	assert_int_equal(policy_of(rig, 0), MPOL_BIND);
	assert_int_equal(policy_of(rig, 1), MPOL_PREFERRED);
	assert_int_equal(policy_of(rig, 2), MPOL_DEFAULT);
}

static void node_that_is_not_there_is_named(void **state)
{
	static const struct id_set none;
	struct rig *rig = *state;
	struct fail fail = { "" };

	rig->placement.cell[0].nodes = none;
	id_set_add(&rig->placement.cell[0].nodes, NO_NODE);
	if (!ram_alloc(&rig->memory, 3 * CELL_SIZE, MACHINE_PAGES_DEFAULT,
		       &rig->placement, &fail))
		skip(); /* no NUMA in this kernel */
	assert_non_null(strstr(fail.text, "cell 0"));
	assert_non_null(strstr(fail.text, "node 1000"));
	assert_int_equal(rig->memory.region_count, 0);
}

static void node_short_of_huge_pages_is_named(void **state)
{
	struct rig *rig = *state;
	struct fail fail = { "" };

	rig->placement.cell[0].bytes = TERABYTES;
	assert_int_equal(ram_alloc(&rig->memory, 3 * CELL_SIZE,
				   MACHINE_PAGES_2M, &rig->placement, &fail),
			 -ENOMEM);
	assert_non_null(strstr(fail.text, "134217728 huge pages of 2 MiB"));
	assert_non_null(strstr(fail.text, "node 0"));
	assert_non_null(strstr(fail.text, "nr_hugepages"));
}

static void prefaulting_touches_every_cell(void **state)
{
	struct rig *rig = *state;
	size_t pages = 3 * CELL_SIZE / (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *present = test_calloc(pages, 1);
	struct fail fail = { "" };

	alloc(rig);
	if (ram_prefault(&rig->memory, &rig->placement, &fail) < 0)
		fail_msg("%s", fail.text);
	assert_int_equal(
		mincore(rig->memory.region[0].host, 3 * CELL_SIZE, present), 0);
	for (size_t i = 0; i < pages; i++)
		assert_true(present[i] & 1);
	test_free(present);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(each_cell_has_its_own_policy),
		CASE(node_that_is_not_there_is_named),
		CASE(node_short_of_huge_pages_is_named),
		CASE(prefaulting_touches_every_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
