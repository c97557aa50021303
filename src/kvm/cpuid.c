/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/cpuid.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/*
 * Theory of operation
 *
 * KVM says what the processor and KVM itself can do; what it says about the
 * topology is the host's. cpuid_edit() keeps the former and replaces the
 * latter, in every leaf that a guest may read it from: Linux, for one, combines
 * several, and believes the vendor's first. Field layouts are those of Intel's
 * SDM, volume 2A, CPUID, and AMD's APM, volume 3, appendix E.
 *
 * Counts of "logical processors that share" are rounded up to the width of the
 * APIC id's fields, on both vendors: guests shift ids by them.
 */

#define LEAF_FEATURES     0x1
#define LEAF_CACHE        0x4
#define LEAF_TOPOLOGY     0xB
#define LEAF_TOPOLOGY_V2  0x1F
#define LEAF_AMD_MAX      0x80000000
#define LEAF_AMD_FEATURES 0x80000001
#define LEAF_AMD_SIZES    0x80000008
#define LEAF_AMD_CACHE    0x8000001D
#define LEAF_AMD_TOPOLOGY 0x8000001E

#define FEATURES_X2APIC       (1U << 21) /* ecx */
#define FEATURES_TSC_DEADLINE (1U << 24) /* ecx */
#define FEATURES_HYPERVISOR   (1U << 31) /* ecx */
#define FEATURES_HTT          (1U << 28) /* edx */
#define AMD_CMP_LEGACY        (1U << 1)  /* ecx of LEAF_AMD_FEATURES */

#define AMD_TOPOEXT (1U << 22) /* likewise: LEAF_AMD_TOPOLOGY exists */

#define LEVEL_SMT  1 /* in ecx bits 15:8 of LEAF_TOPOLOGY */
#define LEVEL_CORE 2

#define CACHE_LEVEL_SHARED 3 /* by the package; lower ones by a core */

/* What all leaves are computed from. */
struct shape {
	const struct machine_topology *topology;
	unsigned int vcpu;
	uint32_t apic_id;
	unsigned int thread_bits;  /* width of the thread's field */
	unsigned int package_bits; /* width of thread and core together */
	unsigned int per_package;  /* logical processors */
};

static unsigned int field_bits(unsigned int count)
{
	unsigned int bits = 0;

	while ((1U << bits) < count)
		bits++;
	return bits;
}

static unsigned int at_most(unsigned int value, unsigned int max)
{
	return value < max ? value : max;
}

uint32_t cpuid_apic_id(const struct machine_topology *topology,
		       unsigned int vcpu)
{
	unsigned int thread_bits = field_bits(topology->threads);
	unsigned int core_bits = field_bits(topology->cores);
	unsigned int thread = vcpu % topology->threads;
	unsigned int core = vcpu / topology->threads % topology->cores;
	unsigned int socket = vcpu / topology->threads / topology->cores;

	return socket << (core_bits + thread_bits) | core << thread_bits |
	       thread;
}

static void init_shape(struct shape *shape,
		       const struct machine_topology *topology,
		       unsigned int vcpu)
{
	shape->topology = topology;
	shape->vcpu = vcpu;
	shape->apic_id = cpuid_apic_id(topology, vcpu);
	shape->thread_bits = field_bits(topology->threads);
	shape->package_bits = shape->thread_bits + field_bits(topology->cores);
	shape->per_package = topology->cores * topology->threads;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid,
				     uint32_t function)
{
	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			return &cpuid->entries[i];
	return NULL;
}

static void drop(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nent = kept;
}

static struct kvm_cpuid_entry2 *add(struct kvm_cpuid2 *cpuid,
				    unsigned int capacity, uint32_t function)
{
	struct kvm_cpuid_entry2 *entry;

	if (cpuid->nent >= capacity)
		return NULL;
	entry = &cpuid->entries[cpuid->nent++];
	memset(entry, 0, sizeof(*entry));
	entry->function = function;
	return entry;
}

static bool is_amd(struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *vendor = find(cpuid, 0);
	char name[12];

	if (!vendor)
		return false;
	memcpy(name, &vendor->ebx, 4);
	memcpy(name + 4, &vendor->edx, 4);
	memcpy(name + 8, &vendor->ecx, 4);
	return !memcmp(name, "AuthenticAMD", sizeof(name)) ||
	       !memcmp(name, "HygonGenuine", sizeof(name));
}

/* Replace bits @high to @low of @value. */
static uint32_t replace_bits(uint32_t value, unsigned int high,
			     unsigned int low, uint32_t field)
{
	uint32_t mask = (uint32_t)((1ULL << (high - low + 1)) - 1);

	return (value & ~(mask << low)) | (field & mask) << low;
}

static void edit_features(struct kvm_cpuid_entry2 *entry,
			  const struct shape *shape, bool amd,
			  bool tsc_deadline)
{
	unsigned int count =
		amd ? shape->per_package : 1U << shape->package_bits;

	entry->ebx = replace_bits(entry->ebx, 31, 24, shape->apic_id);
	entry->ebx = replace_bits(entry->ebx, 23, 16, at_most(count, 255));
	entry->ecx |= FEATURES_X2APIC | FEATURES_HYPERVISOR;
	entry->ecx &= ~FEATURES_TSC_DEADLINE;
	if (tsc_deadline)
		entry->ecx |= FEATURES_TSC_DEADLINE;
	entry->edx &= ~FEATURES_HTT;
	if (shape->per_package > 1)
		entry->edx |= FEATURES_HTT;
}

/* Both vendors' cache leaves say in the same bits who shares a cache. */
static void edit_cache(struct kvm_cpuid_entry2 *entry,
		       const struct shape *shape)
{
	unsigned int type = entry->eax & 0x1F, level = entry->eax >> 5 & 0x7;
	unsigned int bits = level < CACHE_LEVEL_SHARED ? shape->thread_bits
						       : shape->package_bits;

	if (!type)
		return;
	entry->eax = replace_bits(entry->eax, 25, 14,
				  at_most((1U << bits) - 1, 0xFFF));
	if (entry->function == LEAF_CACHE)
		entry->eax = replace_bits(entry->eax, 31, 26,
					  at_most((1U << (shape->package_bits -
							  shape->thread_bits)) -
							  1,
						  0x3F));
}

static void edit_amd_sizes(struct kvm_cpuid_entry2 *entry,
			   const struct shape *shape)
{
	entry->ecx = replace_bits(entry->ecx, 15, 12,
				  at_most(shape->package_bits, 15));
	entry->ecx = replace_bits(entry->ecx, 7, 0,
				  at_most(shape->per_package - 1, 255));
}

static void edit_amd_topology(struct kvm_cpuid_entry2 *entry,
			      const struct shape *shape)
{
	const struct machine_topology *topology = shape->topology;
	unsigned int core = shape->vcpu / topology->threads;

	entry->eax = shape->apic_id;
	entry->ebx =
		(topology->threads - 1) << 8 | (core % topology->cores & 0xFF);
	/* One node per package. */
	entry->ecx = core / topology->cores & 0xFF;
}

static void edit_entry(struct kvm_cpuid_entry2 *entry,
		       const struct shape *shape, bool amd, bool tsc_deadline)
{
	switch (entry->function) {
	case LEAF_FEATURES:
		edit_features(entry, shape, amd, tsc_deadline);
		break;
	case LEAF_CACHE:
	case LEAF_AMD_CACHE:
		edit_cache(entry, shape);
		break;
	case LEAF_AMD_FEATURES:
		entry->ecx &= ~AMD_CMP_LEGACY;
		if (amd && shape->per_package > 1)
			entry->ecx |= AMD_CMP_LEGACY;
		break;
	case LEAF_AMD_SIZES:
		if (amd)
			edit_amd_sizes(entry, shape);
		break;
	case LEAF_AMD_TOPOLOGY:
		if (amd)
			edit_amd_topology(entry, shape);
		break;
	default:
		break;
	}
}

/* Leaf 0xB or 0x1F: a subleaf per level, then an empty one. */
static int add_topology(struct kvm_cpuid2 *cpuid, unsigned int capacity,
			const struct shape *shape, uint32_t function)
{
	const struct kvm_cpuid_entry2 level[] = {
		{ .eax = shape->thread_bits,
		  .ebx = shape->topology->threads,
		  .ecx = LEVEL_SMT << 8 },
		{ .eax = shape->package_bits,
		  .ebx = shape->per_package,
		  .ecx = LEVEL_CORE << 8 },
		{ 0 },
	};

	drop(cpuid, function);
	for (unsigned int i = 0; i < sizeof(level) / sizeof(level[0]); i++) {
		struct kvm_cpuid_entry2 *entry = add(cpuid, capacity, function);

		if (!entry)
			return -E2BIG;
		entry->index = i;
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry->eax = level[i].eax;
		entry->ebx = level[i].ebx;
		entry->ecx = level[i].ecx | i;
		entry->edx = shape->apic_id;
	}
	return 0;
}

static int edit_topology(struct kvm_cpuid2 *cpuid, unsigned int capacity,
			 const struct shape *shape)
{
	struct kvm_cpuid_entry2 *max = find(cpuid, 0);
	bool has_v2 = max && max->eax >= LEAF_TOPOLOGY_V2;
	int err;

	if (max && max->eax < LEAF_TOPOLOGY)
		max->eax = LEAF_TOPOLOGY;
	err = add_topology(cpuid, capacity, shape, LEAF_TOPOLOGY);
	if (!err && has_v2)
		err = add_topology(cpuid, capacity, shape, LEAF_TOPOLOGY_V2);
	return err;
}

/*
 * Without TOPOEXT Linux takes the threads of an AMD processor for cores, even
 * where leaf 0xB says otherwise. The feature is nothing but its CPUID leaves,
 * so a guest with threads may have it on any host.
 */
static int add_amd_threads(struct kvm_cpuid2 *cpuid, unsigned int capacity,
			   const struct shape *shape)
{
	struct kvm_cpuid_entry2 *features = find(cpuid, LEAF_AMD_FEATURES);
	struct kvm_cpuid_entry2 *max = find(cpuid, LEAF_AMD_MAX);
	struct kvm_cpuid_entry2 *entry;

	if (shape->topology->threads == 1 || !features || !max ||
	    features->ecx & AMD_TOPOEXT)
		return 0;
	features->ecx |= AMD_TOPOEXT;
	if (max->eax < LEAF_AMD_TOPOLOGY)
		max->eax = LEAF_AMD_TOPOLOGY;
	drop(cpuid, LEAF_AMD_TOPOLOGY);
	entry = add(cpuid, capacity, LEAF_AMD_TOPOLOGY);
	if (!entry)
		return -E2BIG;
	edit_amd_topology(entry, shape);
	return 0;
}

/* KVM leaves this bit to us: it is about MSI routes, which we make. */
static int edit_paravirtual(struct kvm_cpuid2 *cpuid, unsigned int capacity)
{
	struct kvm_cpuid_entry2 *signature = find(cpuid, KVM_CPUID_SIGNATURE);
	struct kvm_cpuid_entry2 *features;

	if (!signature) {
		signature = add(cpuid, capacity, KVM_CPUID_SIGNATURE);
		if (!signature)
			return -E2BIG;
		memcpy(&signature->ebx, "KVMK", 4);
		memcpy(&signature->ecx, "VMKV", 4);
		memcpy(&signature->edx, "M\0\0\0", 4);
	}
	signature->eax = KVM_CPUID_FEATURES;
	features = find(cpuid, KVM_CPUID_FEATURES);
	if (!features)
		features = add(cpuid, capacity, KVM_CPUID_FEATURES);
	if (!features)
		return -E2BIG;
	features->eax |= 1U << KVM_FEATURE_MSI_EXT_DEST_ID;
	return 0;
}

int cpuid_edit(struct kvm_cpuid2 *cpuid, unsigned int capacity,
	       const struct machine_topology *topology, unsigned int vcpu,
	       bool tsc_deadline)
{
	bool amd = is_amd(cpuid);
	struct shape shape;
	int err;

	init_shape(&shape, topology, vcpu);
	for (unsigned int i = 0; i < cpuid->nent; i++)
		edit_entry(&cpuid->entries[i], &shape, amd, tsc_deadline);
	err = edit_topology(cpuid, capacity, &shape);
	if (!err && amd)
		err = add_amd_threads(cpuid, capacity, &shape);
	return err ? err : edit_paravirtual(cpuid, capacity);
}

int cpuid_set_vcpu(int kvm_fd, int vcpu_fd,
		   const struct machine_topology *topology, unsigned int vcpu,
		   struct fail *fail)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) +
				  CPUID_ENTRIES_MAX * sizeof(*cpuid->entries));
	int deadline =
		ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER);
	int err = 0;

	if (!cpuid)
		return fail_set(fail, -ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
		err = -errno;
	if (!err)
		err = cpuid_edit(cpuid, CPUID_ENTRIES_MAX, topology, vcpu,
				 deadline > 0);
	if (!err && ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
		err = -errno;
	free(cpuid);
	if (err)
		fail_set(fail, err, "KVM refuses the CPUID of vCPU %u: %s",
			 vcpu, strerror(-err));
	return err;
}
