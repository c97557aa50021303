/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/vm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm/cpuid.h"

/* Pages that KVM on Intel needs for itself, below the 4 GiB ROM area. */
#define IDENTITY_MAP_BASE 0xFFFBC000ULL
#define TSS_BASE          0xFFFBD000UL

#define CPUID_ADDRESS_SIZES 0x80000008
#define ADDRESS_BITS_MIN    36 /* where the processor does not say */

/* KVM's limit is 2^31 - 1 pages a slot. */
#define SLOT_BYTES_MAX (1ULL << 40)

static int capability(int fd, int name)
{
	int value = ioctl(fd, KVM_CHECK_EXTENSION, name);

	return value < 0 ? 0 : value;
}

static int open_kvm(struct fail *fail)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return fail_set(fail, -errno,
				"there is no /dev/kvm: load the kvm_intel or "
				"kvm_amd module, and switch virtualisation on "
				"in the firmware or (nested) in the host");
	if (errno == EACCES || errno == EPERM)
		return fail_set(fail, -errno,
				"no access to /dev/kvm: add the user to group "
				"kvm (usermod -aG kvm USER) and log in again");
	return fail_set(fail, -errno, "cannot open /dev/kvm: %s",
			strerror(errno));
}

static int check_version(int kvm_fd, struct fail *fail)
{
	static const struct {
		int name;
		const char *text;
	} needed[] = {
		{ KVM_CAP_IRQCHIP, "in-kernel interrupt controllers" },
		{ KVM_CAP_PIT2, "an in-kernel PIT" },
		{ KVM_CAP_USER_MEMORY, "user memory slots" },
		{ KVM_CAP_SET_TSS_ADDR, "a movable TSS" },
		{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "a movable identity map" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
		{ KVM_CAP_MP_STATE, "settable vCPU states" },
		{ KVM_CAP_X2APIC_API, "32-bit APIC ids" },
		{ KVM_CAP_XSAVE, "settable FPU state" },
	};
	unsigned int i;

	if (ioctl(kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return fail_set(fail, -ENOSYS,
				"/dev/kvm speaks another version of the API: "
				"use Linux 5.15 or newer");
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!capability(kvm_fd, needed[i].name))
			return fail_set(fail, -ENOSYS,
					"this host's KVM lacks %s: use Linux "
					"5.15 or newer",
					needed[i].text);
	return 0;
}

static int check_cpus(int kvm_fd, const struct machine_topology *topology,
		      struct fail *fail)
{
	int cpus_max = capability(kvm_fd, KVM_CAP_MAX_VCPUS);
	int ids_max = capability(kvm_fd, KVM_CAP_MAX_VCPU_ID);

	if (cpus_max == 0)
		cpus_max = capability(kvm_fd, KVM_CAP_NR_VCPUS);
	if (ids_max == 0)
		ids_max = cpus_max;
	if (topology->cpus == 0)
		return fail_set(fail, -EINVAL, "a guest needs a vCPU");
	if (topology->cpus > (unsigned int)cpus_max)
		return fail_set(fail, -EINVAL,
				"%u vCPUs are more than this host's KVM "
				"allows: at most %d",
				topology->cpus, cpus_max);
	if (cpuid_apic_id(topology, topology->cpus - 1) >= (uint32_t)ids_max)
		return fail_set(fail, -EINVAL,
				"a topology of %u sockets, %u cores, %u "
				"threads needs APIC ids from %d up, which this "
				"host's KVM does not have: use counts that are "
				"powers of two",
				topology->sockets, topology->cores,
				topology->threads, ids_max);
	return 0;
}

static int create_fd(int kvm_fd, struct fail *fail)
{
	int fd;

	do
		fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		return fd;
	if (errno == EBUSY)
		return fail_set(fail, -errno,
				"another hypervisor has the processor's "
				"virtualisation: stop it first");
	return fail_set(fail, -errno, "KVM cannot make a virtual machine: %s",
			strerror(errno));
}

/* APIC ids above 255 in MSI messages and in the x2APIC's registers. */
static int enable_x2apic(int fd)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS |
			  KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};

	return ioctl(fd, KVM_ENABLE_CAP, &cap);
}

static int create_chips(const struct vm *vm, struct fail *fail)
{
	/* The speaker's port 0x61 is in use by Linux's TSC calibration. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = IDENTITY_MAP_BASE;
	const char *step = NULL;

	if (enable_x2apic(vm->fd))
		step = "32-bit APIC ids";
	else if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map))
		step = "the identity map";
	else if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_BASE))
		step = "the TSS";
	else if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		step = "interrupt controllers";
	else if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit))
		step = "the PIT";
	if (step)
		return fail_set(fail, -errno, "KVM cannot set up %s: %s", step,
				strerror(errno));
	return 0;
}

static int save_chips(struct vm *vm, struct fail *fail)
{
	uint32_t i;

	for (i = 0; i < VM_CHIPS; i++) {
		vm->chip[i].chip_id = i;
		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &vm->chip[i]))
			goto fail;
	}
	if (!ioctl(vm->fd, KVM_GET_PIT2, &vm->pit))
		return 0;
fail:
	return fail_set(fail, -errno, "KVM does not show its chips' state: %s",
			strerror(errno));
}

static int create_in(struct vm *vm, const struct machine_topology *topology,
		     struct fail *fail)
{
	int rc = check_version(vm->kvm_fd, fail);

	if (rc == 0)
		rc = check_cpus(vm->kvm_fd, topology, fail);
	if (rc < 0)
		return rc;
	rc = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (rc < (int)sizeof(struct kvm_run))
		return fail_set(fail, -ENOSYS,
				"KVM offers vCPU pages of %d bytes only", rc);
	vm->run_size = (size_t)rc;
	vm->fd = create_fd(vm->kvm_fd, fail);
	if (vm->fd < 0)
		return vm->fd;
	rc = create_chips(vm, fail);
	if (rc == 0)
		rc = save_chips(vm, fail);
	if (rc < 0)
		close(vm->fd);
	return rc;
}

int vm_create(struct vm *vm, const struct machine_topology *topology,
	      struct fail *fail)
{
	int rc;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = open_kvm(fail);
	if (vm->kvm_fd < 0)
		return vm->kvm_fd;
	rc = create_in(vm, topology, fail);
	if (rc < 0)
		close(vm->kvm_fd);
	return rc;
}

unsigned int vm_address_bits(void)
{
	unsigned int eax = 0;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	if (!__get_cpuid(CPUID_ADDRESS_SIZES, &eax, &ebx, &ecx, &edx))
		return ADDRESS_BITS_MIN;
	return eax & 0xff;
}

static int map_region(const struct vm *vm,
		      const struct guest_memory_region *region, uint32_t *slot,
		      struct fail *fail)
{
	uint64_t size;
	uint64_t done;

	for (done = 0; done < region->size; done += size) {
		struct kvm_userspace_memory_region args;

		size = region->size - done;
		if (size > SLOT_BYTES_MAX)
			size = SLOT_BYTES_MAX;
		args = (struct kvm_userspace_memory_region) {
			.slot = (*slot)++,
			.guest_phys_addr = region->gpa + done,
			.memory_size = size,
			.userspace_addr = (uintptr_t)region->host + done,
		};
		if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &args))
			return fail_set(fail, -errno,
					"KVM refuses guest memory at %#" PRIx64
					" (%s): give the guest less",
					region->gpa + done, strerror(errno));
	}
	return 0;
}

int vm_map_memory(const struct vm *vm, const struct guest_memory *memory,
		  struct fail *fail)
{
	uint32_t slot = 0;
	unsigned int i;

	for (i = 0; i < memory->region_count; i++) {
		int rc = map_region(vm, &memory->region[i], &slot, fail);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int vm_reset(const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < VM_CHIPS; i++)
		if (ioctl(vm->fd, KVM_SET_IRQCHIP, &vm->chip[i]))
			return -errno;
	return ioctl(vm->fd, KVM_SET_PIT2, &vm->pit) ? -errno : 0;
}

void vm_destroy(struct vm *vm)
{
	close(vm->fd);
	close(vm->kvm_fd);
}
