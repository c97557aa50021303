/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes and eventfds on a real VM; what arrived is read from a LAPIC's IRR. */
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "kvm/irq_kvm.h"
#include "kvm/vm.h"

#define LAPIC_IRR 0x200
#define LAPIC_SVR 0xf0
#define MSI_CPU_0 0xFEE00000ULL

struct rig {
	struct vm vm;
	int vcpu_fd;
	struct irq_controller *irq;
	int gsi;
	int eventfd;
};

static int switch_lapic_on(int vcpu_fd)
{
	struct kvm_lapic_state lapic;

	if (ioctl(vcpu_fd, KVM_GET_LAPIC, &lapic))
		return -1;
	lapic.regs[LAPIC_SVR] = (char)0xff;
	lapic.regs[LAPIC_SVR + 1] = 1;
	return ioctl(vcpu_fd, KVM_SET_LAPIC, &lapic);
}

static bool is_pending(const struct rig *rig, unsigned int vector)
{
	struct kvm_lapic_state lapic;

	assert_int_equal(ioctl(rig->vcpu_fd, KVM_GET_LAPIC, &lapic), 0);
	/* 32 vectors in each register, a register every 16 bytes. */
	return lapic.regs[LAPIC_IRR + vector / 32 * 16 + vector % 32 / 8] >>
		       vector % 8 &
	       1;
}

static int setup(void **state)
{
	static const struct machine_topology one = { 1, 1, 1, 1 };
	struct rig *rig = test_calloc(1, sizeof(*rig));
	struct fail fail = { "" };

	*state = rig;
	if (vm_create(&rig->vm, &one, &fail) ||
	    irq_kvm_create(rig->vm.fd, &rig->irq, &fail)) {
		print_error("%s\n", fail.text);
		return -1;
	}
	rig->vcpu_fd = ioctl(rig->vm.fd, KVM_CREATE_VCPU, 0UL);
	rig->eventfd = eventfd(0, EFD_NONBLOCK);
	rig->gsi = rig->irq->ops->route_alloc(rig->irq);
	return switch_lapic_on(rig->vcpu_fd);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	close(rig->eventfd);
	irq_kvm_destroy(rig->irq);
	close(rig->vcpu_fd);
	vm_destroy(&rig->vm);
	test_free(rig);
	return 0;
}

static void route(struct rig *rig, uint64_t address, unsigned int vector)
{
	struct msi_message message = { .address = address, .data = vector };

	assert_int_equal(rig->irq->ops->route_set(rig->irq, rig->gsi, &message),
			 0);
}

static void connect_msi(struct rig *rig)
{
	assert_int_equal(
		rig->irq->ops->msi_connect(rig->irq, rig->gsi, rig->eventfd),
		0);
}

static void signal_device(struct rig *rig)
{
	assert_int_equal(eventfd_write(rig->eventfd, 1), 0);
}

static eventfd_t count(const struct rig *rig)
{
	eventfd_t value = 0;

	return eventfd_read(rig->eventfd, &value) ? 0 : value;
}

static void connected_eventfd_interrupts(void **state)
{
	struct rig *rig = *state;

	route(rig, MSI_CPU_0, 0x41);
	connect_msi(rig);
	assert_false(is_pending(rig, 0x41));
	signal_device(rig);
	assert_true(is_pending(rig, 0x41));
}

static void route_change_is_followed(void **state)
{
	struct rig *rig = *state;

	route(rig, MSI_CPU_0, 0x41);
	connect_msi(rig);
	route(rig, MSI_CPU_0, 0x99);
	signal_device(rig);
	assert_true(is_pending(rig, 0x99));
	assert_false(is_pending(rig, 0x41));
}

static void disconnected_eventfd_keeps_its_count(void **state)
{
	struct rig *rig = *state;

	route(rig, MSI_CPU_0, 0x41);
	connect_msi(rig);
	rig->irq->ops->msi_disconnect(rig->irq, rig->gsi, rig->eventfd);
	signal_device(rig);
	assert_false(is_pending(rig, 0x41));
	assert_int_equal(count(rig), 1);
}

static void connecting_delivers_what_is_pending(void **state)
{
	struct rig *rig = *state;

	route(rig, MSI_CPU_0, 0x41);
	signal_device(rig);
	connect_msi(rig);
	/* KVM injects this one from a work queue; disconnecting waits for it.
	 */
	rig->irq->ops->msi_disconnect(rig->irq, rig->gsi, rig->eventfd);
	assert_true(is_pending(rig, 0x41));
	assert_int_equal(count(rig), 0);
}

/* Bits 5-11 are destination bits 8-14: CPU 256 is not CPU 0. */
static void extended_destination_is_not_cpu_0(void **state)
{
	struct rig *rig = *state;

	route(rig, MSI_CPU_0 | 1 << 5, 0x41);
	connect_msi(rig);
	signal_device(rig);
	assert_false(is_pending(rig, 0x41));
}

/* KVM would refuse a table with such an entry. */
static void any_message_is_accepted(void **state)
{
	struct rig *rig = *state;

	route(rig, UINT64_MAX, 0xffffffff);
	route(rig, 0, 0);
	route(rig, MSI_CPU_0 | 0xffULL << 32, 0x41);
}

static void reused_gsi_does_not_have_the_old_route(void **state)
{
	struct rig *rig = *state;
	const struct irq_controller_ops *ops = rig->irq->ops;
	int gsi;

	route(rig, MSI_CPU_0, 0x41);
	ops->route_free(rig->irq, rig->gsi);
	do
		gsi = ops->route_alloc(rig->irq);
	while (gsi >= 0 && gsi != rig->gsi);
	assert_int_equal(gsi, rig->gsi);
	connect_msi(rig);
	signal_device(rig);
	assert_false(is_pending(rig, 0x41));
}

static void gsis_are_distinct_and_run_out(void **state)
{
	struct rig *rig = *state;
	bool seen[4096] = { false };
	int count_ok = 0;
	int gsi;

	while ((gsi = rig->irq->ops->route_alloc(rig->irq)) >= 0) {
		assert_in_range(gsi, 24, 4095);
		assert_false(seen[gsi]);
		seen[gsi] = true;
		count_ok++;
	}
	assert_int_equal(gsi, -ENOSPC);
	assert_true(count_ok >= 1000);
	rig->irq->ops->route_free(rig->irq, 1000);
	assert_int_equal(rig->irq->ops->route_alloc(rig->irq), 1000);
}

static void a_full_table_is_accepted(void **state)
{
	struct rig *rig = *state;
	int last = rig->gsi;
	int gsi;

	while ((gsi = rig->irq->ops->route_alloc(rig->irq)) >= 0) {
		last = gsi;
		if (gsi % 256 == 0) {
			rig->gsi = gsi;
			route(rig, MSI_CPU_0, 0x40);
		}
	}
	rig->gsi = last;
	route(rig, MSI_CPU_0, 0x42);
	connect_msi(rig);
	signal_device(rig);
	assert_true(is_pending(rig, 0x42));
}

static void pins_are_no_msi_routes(void **state)
{
	struct rig *rig = *state;
	struct msi_message message = { .address = MSI_CPU_0 };

	assert_int_equal(rig->irq->ops->route_set(rig->irq, 23, &message),
			 -EINVAL);
	assert_int_equal(rig->irq->ops->route_set(rig->irq, -1, &message),
			 -EINVAL);
	assert_int_equal(rig->irq->ops->route_set(rig->irq, 1 << 20, &message),
			 -EINVAL);
}

/* A masked level-triggered pin shows its line's state in the IOAPIC's IRR. */
static void prepare_line(const struct rig *rig, unsigned int pin)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	assert_int_equal(ioctl(rig->vm.fd, KVM_GET_IRQCHIP, &chip), 0);
	chip.chip.ioapic.redirtbl[pin].fields.trig_mode = 1;
	chip.chip.ioapic.redirtbl[pin].fields.mask = 1;
	assert_int_equal(ioctl(rig->vm.fd, KVM_SET_IRQCHIP, &chip), 0);
}

static bool line_is_high(const struct rig *rig, unsigned int pin)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	assert_int_equal(ioctl(rig->vm.fd, KVM_GET_IRQCHIP, &chip), 0);
	return chip.chip.ioapic.irr >> pin & 1;
}

static void intx_raises_and_lowers_its_line(void **state)
{
	struct rig *rig = *state;
	const struct irq_controller_ops *ops = rig->irq->ops;
	int resamplefd = eventfd(0, EFD_NONBLOCK);

	prepare_line(rig, 16);
	assert_int_equal(
		ops->intx_connect(rig->irq, 16, rig->eventfd, resamplefd), 0);
	signal_device(rig);
	/* KVM raises it from a work queue; the test's time-out is the limit. */
	while (!line_is_high(rig, 16))
		sched_yield();
	ops->intx_disconnect(rig->irq, 16, rig->eventfd, resamplefd);
	assert_false(line_is_high(rig, 16));
	signal_device(rig);
	assert_false(line_is_high(rig, 16));
	assert_int_equal(count(rig), 1);
	close(resamplefd);
}

static void intx_is_for_pins_only(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig->irq->ops->intx_connect(rig->irq, 24, rig->eventfd,
						     rig->eventfd),
			 -EINVAL);
}

static void doorbell_address_is_taken_once(void **state)
{
	struct rig *rig = *state;
	const struct irq_controller_ops *ops = rig->irq->ops;

	assert_int_equal(
		ops->doorbell_add(rig->irq, 0xd0000000, 0, rig->eventfd), 0);
	assert_true(ops->doorbell_add(rig->irq, 0xd0000000, 0, rig->eventfd) <
		    0);
	ops->doorbell_remove(rig->irq, 0xd0000000, 0, rig->eventfd);
	assert_int_equal(
		ops->doorbell_add(rig->irq, 0xd0000000, 0, rig->eventfd), 0);
}

int main(void)
{
#define ON_VM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_VM(connected_eventfd_interrupts),
		ON_VM(route_change_is_followed),
		ON_VM(disconnected_eventfd_keeps_its_count),
		ON_VM(connecting_delivers_what_is_pending),
		ON_VM(extended_destination_is_not_cpu_0),
		ON_VM(any_message_is_accepted),
		ON_VM(reused_gsi_does_not_have_the_old_route),
		ON_VM(gsis_are_distinct_and_run_out),
		ON_VM(a_full_table_is_accepted),
		ON_VM(pins_are_no_msi_routes),
		ON_VM(intx_raises_and_lowers_its_line),
		ON_VM(intx_is_for_pins_only),
		ON_VM(doorbell_address_is_taken_once),
	};

	if (access("/dev/kvm", R_OK | W_OK)) {
		puts("skipped: no usable /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
