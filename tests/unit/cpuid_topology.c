/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID as the guest reads it: the tests take the leaves apart the way Linux
 * does and compare with the shape that was asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "kvm/cpuid.h"

#define SIGNIFICANT KVM_CPUID_FLAG_SIGNIFCANT_INDEX

/* KVM's array with room behind it. */
union vcpu_cpuid {
	struct kvm_cpuid2 head;
	uint8_t space[sizeof(struct kvm_cpuid2) +
		      CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2)];
};

static const struct kvm_cpuid_entry2 amd_host[] = {
	{ .function = 0,
	  .eax = 0x10,
	  .ebx = 0x68747541,
	  .edx = 0x69746E65,
	  .ecx = 0x444D4163 },
	{ .function = 1, .ebx = 0x77800800, .ecx = 1U << 24, .edx = 0x1789 },
	{ .function = 0xB, .flags = SIGNIFICANT, .eax = 1, .ebx = 2 },
	{ .function = 0xB, .index = 1, .flags = SIGNIFICANT, .eax = 7 },
	{ .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4B4D564B },
	{ .function = 0x40000001, .eax = 0x01007AFB },
	{ .function = 0x80000000, .eax = 0x8000001F },
	{ .function = 0x80000001, .ecx = 0x00400001 },
	{ .function = 0x80000008, .eax = 0x3030, .ecx = 0x0000707F },
	{ .function = 0x8000001D, .flags = SIGNIFICANT, .eax = 0x4121 },
	{ .function = 0x8000001D,
	  .index = 1,
	  .flags = SIGNIFICANT,
	  .eax = 0x4122 },
	{ .function = 0x8000001D,
	  .index = 2,
	  .flags = SIGNIFICANT,
	  .eax = 0x4143 },
	{ .function = 0x8000001D,
	  .index = 3,
	  .flags = SIGNIFICANT,
	  .eax = 0x3C163 },
	{ .function = 0x8000001D, .index = 4, .flags = SIGNIFICANT },
	{ .function = 0x8000001E, .eax = 0x77, .ebx = 0x13B, .ecx = 0x1 },
};

static const struct kvm_cpuid_entry2 intel_host[] = {
	{ .function = 0,
	  .eax = 0x1F,
	  .ebx = 0x756E6547,
	  .edx = 0x49656E69,
	  .ecx = 0x6C65746E },
	{ .function = 1, .ebx = 0x77800800 },
	{ .function = 4, .flags = SIGNIFICANT, .eax = 0xFC004121 },
	{ .function = 4, .index = 1, .flags = SIGNIFICANT, .eax = 0xFC004122 },
	{ .function = 4, .index = 2, .flags = SIGNIFICANT, .eax = 0xFC004143 },
	{ .function = 4, .index = 3, .flags = SIGNIFICANT, .eax = 0xFC1FC163 },
	{ .function = 4, .index = 4, .flags = SIGNIFICANT },
	{ .function = 0xB, .flags = SIGNIFICANT },
	{ .function = 0x1F, .flags = SIGNIFICANT },
	{ .function = 0x80000001, .ecx = 0x121 },
	{ .function = 0x80000008, .eax = 0x3039, .ecx = 0 },
};

static struct machine_topology shape(unsigned int sockets, unsigned int cores,
				     unsigned int threads)
{
	return (struct machine_topology) { sockets * cores * threads, sockets,
					   cores, threads };
}

static void init(union vcpu_cpuid *cpuid,
		 const struct kvm_cpuid_entry2 *entries, unsigned int count)
{
	memset(cpuid, 0, sizeof(*cpuid));
	cpuid->head.nent = count;
	memcpy(cpuid->head.entries, entries, count * sizeof(*entries));
}

#define ENTRIES(array) array, sizeof(array) / sizeof((array)[0])

static void edit_amd(union vcpu_cpuid *cpuid,
		     const struct machine_topology *topology, unsigned int vcpu)
{
	init(cpuid, ENTRIES(amd_host));
	assert_int_equal(cpuid_edit(&cpuid->head, CPUID_ENTRIES_MAX, topology,
				    vcpu, true),
			 0);
}

static void edit_intel(union vcpu_cpuid *cpuid,
		       const struct machine_topology *topology,
		       unsigned int vcpu)
{
	init(cpuid, ENTRIES(intel_host));
	assert_int_equal(cpuid_edit(&cpuid->head, CPUID_ENTRIES_MAX, topology,
				    vcpu, true),
			 0);
}

/* The one entry that the guest gets for a leaf; it must be unique. */
static const struct kvm_cpuid_entry2 *leaf(const union vcpu_cpuid *cpuid,
					   uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *found = NULL;

	for (unsigned int i = 0; i < cpuid->head.nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->head.entries[i];

		if (entry->function != function || entry->index != index)
			continue;
		assert_null(found);
		found = entry;
	}
	assert_non_null(found);
	return found;
}

/* Leaf 0xB or 0x1F, as Linux's detect_extended_topology() reads it. */
static void assert_extended(const union vcpu_cpuid *cpuid, uint32_t function,
			    const struct machine_topology *topology,
			    unsigned int vcpu)
{
	const struct kvm_cpuid_entry2 *smt = leaf(cpuid, function, 0);
	const struct kvm_cpuid_entry2 *core = leaf(cpuid, function, 1);
	uint32_t id = smt->edx;

	assert_int_equal(smt->ecx, 0x100);
	assert_int_equal(core->ecx, 0x201);
	assert_int_equal(leaf(cpuid, function, 2)->ebx, 0);
	assert_int_equal(leaf(cpuid, function, 2)->ecx, 2);
	assert_int_equal(smt->ebx, topology->threads);
	assert_int_equal(core->ebx, topology->threads * topology->cores);
	assert_int_equal(core->edx, id);
	assert_int_equal(id >> core->eax,
			 vcpu / (topology->cores * topology->threads));
	assert_int_equal((id & ((1U << core->eax) - 1)) >> smt->eax,
			 vcpu / topology->threads % topology->cores);
	assert_int_equal(id & ((1U << smt->eax) - 1), vcpu % topology->threads);
}

static void assert_shape(unsigned int sockets, unsigned int cores,
			 unsigned int threads)
{
	struct machine_topology topology = shape(sockets, cores, threads);
	union vcpu_cpuid cpuid;

	for (unsigned int vcpu = 0; vcpu < topology.cpus; vcpu++) {
		edit_amd(&cpuid, &topology, vcpu);
		assert_extended(&cpuid, 0xB, &topology, vcpu);
		edit_intel(&cpuid, &topology, vcpu);
		assert_extended(&cpuid, 0xB, &topology, vcpu);
		assert_extended(&cpuid, 0x1F, &topology, vcpu);
	}
}

static void extended_topology_reads_back_as_asked(void **state)
{
	(void)state;
	assert_shape(1, 1, 1);
	assert_shape(2, 2, 2);
	assert_shape(1, 8, 1);
	assert_shape(1, 3, 2);
	assert_shape(3, 5, 3);
	assert_shape(8, 1, 1);
	assert_shape(3, 100, 1);
	assert_shape(2, 256, 2);
}

static void apic_ids_are_compact_for_powers_of_two(void **state)
{
	struct machine_topology topology = shape(2, 2, 2);

	(void)state;
	for (unsigned int vcpu = 0; vcpu < 8; vcpu++)
		assert_int_equal(cpuid_apic_id(&topology, vcpu), vcpu);
}

static void apic_ids_skip_what_a_field_does_not_use(void **state)
{
	struct machine_topology topology = shape(2, 3, 1);
	const uint32_t ids[] = { 0, 1, 2, 4, 5, 6 };

	(void)state;
	for (unsigned int vcpu = 0; vcpu < 6; vcpu++)
		assert_int_equal(cpuid_apic_id(&topology, vcpu), ids[vcpu]);
}

static void apic_ids_ascend(void **state)
{
	struct machine_topology topology = shape(5, 51, 3);

	(void)state;
	for (unsigned int vcpu = 1; vcpu < topology.cpus; vcpu++)
		assert_true(cpuid_apic_id(&topology, vcpu) >
			    cpuid_apic_id(&topology, vcpu - 1));
}

static void leaf_1_has_id_count_and_features(void **state)
{
	struct machine_topology topology = shape(2, 2, 2);
	const struct kvm_cpuid_entry2 *one;
	union vcpu_cpuid cpuid;

	(void)state;
	edit_amd(&cpuid, &topology, 5);
	one = leaf(&cpuid, 1, 0);
	assert_int_equal(one->ebx >> 24, 5);
	assert_int_equal(one->ebx >> 16 & 0xFF, 4);
	assert_int_equal(one->ebx & 0xFFFF, 0x0800); /* not ours to change */
	assert_true(one->edx & 1U << 28);            /* HTT */
	assert_true(one->ecx & 1U << 31);            /* hypervisor */
	assert_true(one->ecx & 1U << 21);            /* x2APIC */
	assert_true(one->ecx & 1U << 24);            /* TSC deadline */
}

static void single_cpu_package_is_not_multi_threaded(void **state)
{
	struct machine_topology topology = shape(4, 1, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_amd(&cpuid, &topology, 3);
	assert_false(leaf(&cpuid, 1, 0)->edx & 1U << 28);
	assert_false(leaf(&cpuid, 0x80000001, 0)->ecx & 2);
}

static void tsc_deadline_needs_kvm_support(void **state)
{
	struct machine_topology topology = shape(1, 1, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	init(&cpuid, ENTRIES(amd_host));
	assert_int_equal(
		cpuid_edit(&cpuid.head, CPUID_ENTRIES_MAX, &topology, 0, false),
		0);
	assert_false(leaf(&cpuid, 1, 0)->ecx & 1U << 24);
}

static void amd_leaves_agree(void **state)
{
	struct machine_topology topology = shape(2, 2, 2);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_amd(&cpuid, &topology, 6); /* socket 1, core 1, thread 0 */
	assert_true(leaf(&cpuid, 0x80000001, 0)->ecx & 2);
	assert_int_equal(leaf(&cpuid, 0x80000008, 0)->ecx, 0x2003);
	assert_int_equal(leaf(&cpuid, 0x8000001E, 0)->eax, 6);
	assert_int_equal(leaf(&cpuid, 0x8000001E, 0)->ebx, 0x101);
	assert_int_equal(leaf(&cpuid, 0x8000001E, 0)->ecx, 1);
}

static void amd_threads_show_without_host_support(void **state)
{
	struct machine_topology topology = shape(1, 2, 2);
	union vcpu_cpuid cpuid;

	(void)state;
	init(&cpuid, ENTRIES(amd_host));
	for (unsigned int i = 0; i < cpuid.head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid.head.entries[i];

		if (entry->function == 0x80000000)
			entry->eax = 0x8000000A;
		if (entry->function == 0x80000001)
			entry->ecx = 0;
		if (entry->function >= 0x8000001D)
			entry->function = 0xD; /* any other */
	}
	assert_int_equal(
		cpuid_edit(&cpuid.head, CPUID_ENTRIES_MAX, &topology, 3, true),
		0);
	assert_true(leaf(&cpuid, 0x80000001, 0)->ecx & 1U << 22);
	assert_true(leaf(&cpuid, 0x80000000, 0)->eax >= 0x8000001E);
	assert_int_equal(leaf(&cpuid, 0x8000001E, 0)->eax, 3);
	assert_int_equal(leaf(&cpuid, 0x8000001E, 0)->ebx, 0x101);
}

static unsigned int sharing(const union vcpu_cpuid *cpuid, uint32_t function,
			    uint32_t index)
{
	return (leaf(cpuid, function, index)->eax >> 14 & 0xFFF) + 1;
}

static void amd_caches_are_shared_as_asked(void **state)
{
	struct machine_topology topology = shape(2, 2, 2);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_amd(&cpuid, &topology, 0);
	assert_int_equal(sharing(&cpuid, 0x8000001D, 0), 2);
	assert_int_equal(sharing(&cpuid, 0x8000001D, 1), 2);
	assert_int_equal(sharing(&cpuid, 0x8000001D, 2), 2);
	assert_int_equal(sharing(&cpuid, 0x8000001D, 3), 4);
	assert_int_equal(leaf(&cpuid, 0x8000001D, 4)->eax, 0);
}

static void intel_caches_are_shared_as_asked(void **state)
{
	struct machine_topology topology = shape(1, 6, 2);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_intel(&cpuid, &topology, 0);
	assert_int_equal(sharing(&cpuid, 4, 0), 2);
	assert_int_equal(sharing(&cpuid, 4, 2), 2);
	assert_int_equal(sharing(&cpuid, 4, 3), 16);
	assert_int_equal(leaf(&cpuid, 4, 3)->eax >> 26, 7);
	assert_int_equal(leaf(&cpuid, 4, 4)->eax, 0);
}

static void intel_has_no_amd_fields(void **state)
{
	struct machine_topology topology = shape(1, 4, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_intel(&cpuid, &topology, 0);
	assert_int_equal(leaf(&cpuid, 0x80000001, 0)->ecx, 0x121);
	assert_int_equal(leaf(&cpuid, 0x80000008, 0)->ecx, 0);
}

static void large_packages_saturate_small_fields(void **state)
{
	struct machine_topology topology = shape(1, 512, 2);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_intel(&cpuid, &topology, 1023);
	assert_int_equal(leaf(&cpuid, 1, 0)->ebx >> 16 & 0xFF, 255);
	assert_int_equal(leaf(&cpuid, 1, 0)->ebx >> 24, 255);
	assert_int_equal(leaf(&cpuid, 4, 0)->eax >> 26, 63);
	assert_int_equal(leaf(&cpuid, 0xB, 0)->edx, 1023);
	edit_amd(&cpuid, &topology, 1023);
	assert_int_equal(leaf(&cpuid, 0x80000008, 0)->ecx, 0xA0FF);
}

static void guest_may_use_extended_destination_ids(void **state)
{
	struct machine_topology topology = shape(1, 1, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	edit_amd(&cpuid, &topology, 0);
	assert_int_equal(leaf(&cpuid, 0x40000001, 0)->eax,
			 0x01007AFB | 1U << 15);
	/* KVM without paravirtual leaves: they are added. */
	edit_intel(&cpuid, &topology, 0);
	assert_int_equal(leaf(&cpuid, 0x40000001, 0)->eax, 1U << 15);
	assert_memory_equal(&leaf(&cpuid, 0x40000000, 0)->ebx, "KVMK", 4);
}

static void topology_leaf_is_within_the_maximum(void **state)
{
	struct machine_topology topology = shape(1, 2, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	init(&cpuid, ENTRIES(amd_host));
	cpuid.head.entries[0].eax = 0x7;
	assert_int_equal(
		cpuid_edit(&cpuid.head, CPUID_ENTRIES_MAX, &topology, 0, true),
		0);
	assert_true(leaf(&cpuid, 0, 0)->eax >= 0xB);
	edit_intel(&cpuid, &topology, 0);
	assert_int_equal(leaf(&cpuid, 0, 0)->eax, 0x1F);
}

static void full_array_is_refused(void **state)
{
	struct machine_topology topology = shape(1, 2, 1);
	union vcpu_cpuid cpuid;

	(void)state;
	init(&cpuid, ENTRIES(amd_host));
	assert_int_equal(
		cpuid_edit(&cpuid.head, cpuid.head.nent, &topology, 0, true),
		-E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extended_topology_reads_back_as_asked),
		cmocka_unit_test(apic_ids_are_compact_for_powers_of_two),
		cmocka_unit_test(apic_ids_skip_what_a_field_does_not_use),
		cmocka_unit_test(apic_ids_ascend),
		cmocka_unit_test(leaf_1_has_id_count_and_features),
		cmocka_unit_test(single_cpu_package_is_not_multi_threaded),
		cmocka_unit_test(tsc_deadline_needs_kvm_support),
		cmocka_unit_test(amd_leaves_agree),
		cmocka_unit_test(amd_threads_show_without_host_support),
		cmocka_unit_test(amd_caches_are_shared_as_asked),
		cmocka_unit_test(intel_caches_are_shared_as_asked),
		cmocka_unit_test(intel_has_no_amd_fields),
		cmocka_unit_test(large_packages_saturate_small_fields),
		cmocka_unit_test(guest_may_use_extended_destination_ids),
		cmocka_unit_test(topology_leaf_is_within_the_maximum),
		cmocka_unit_test(full_array_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
