/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/irq_kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/*
 * Theory of operation
 *
 * KVM takes the routing table as a whole: GSI 0-23 are the pins of IOAPIC and
 * PIC, the rest are MSI routes that devices reserve one at a time. The table is
 * kept here under a mutex and handed over at every change. KVM replaces it
 * under RCU and lets connected eventfds follow, so no interrupt is lost.
 *
 * A reserved GSI has no entry in KVM's table before its first message: an
 * eventfd that is signalled before then interrupts nobody.
 */

#define IOAPIC_PINS 24
#define PIC_PINS    16
#define PIN_ENTRIES (IOAPIC_PINS + PIC_PINS)

/* What a message address says (Intel SDM volume 3, 11.11.1). */
#define MSI_EXT_DEST_SHIFT 5 /* bits 5-11: destination bits 8-14 */
#define MSI_EXT_DEST_BITS  0x7fU
#define MSI_DEST_HI_SHIFT  8 /* KVM's address_hi: destination bits 8-31 */

struct msi_route {
	bool reserved;
	bool routed;
	struct msi_message message;
};

struct irq_kvm {
	struct irq_controller base;
	int vm_fd;
	bool any_length; /* doorbells without a width of their own */
	bool stale;      /* KVM's table still has routes that were freed */
	pthread_mutex_t lock;
	int gsi_count;           /* KVM's limit on GSIs and on table entries */
	int next;                /* where the search for a free GSI begins */
	struct msi_route *route; /* [gsi], unused below IOAPIC_PINS */
	struct kvm_irq_routing *table;
};

static struct irq_kvm *to_kvm(struct irq_controller *irq)
{
	return (struct irq_kvm *)irq;
}

static void append_pin(struct kvm_irq_routing *table, uint32_t gsi,
		       uint32_t chip, uint32_t pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

static void append_pins(struct kvm_irq_routing *table)
{
	uint32_t pin;

	for (pin = 0; pin < PIC_PINS; pin++)
		append_pin(table, pin,
			   pin < 8 ? KVM_IRQCHIP_PIC_MASTER
				   : KVM_IRQCHIP_PIC_SLAVE,
			   pin % 8);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		append_pin(table, pin, KVM_IRQCHIP_IOAPIC, pin);
}

/*
 * Destination bits above 7 arrive in reserved bits of the low address
 * (KVM_FEATURE_MSI_EXT_DEST_ID) and leave in the high address, where
 * KVM_X2APIC_API_USE_32BIT_IDS wants them. What the guest wrote there itself is
 * no destination on a PC, and KVM would refuse the whole table for it.
 */
static void append_msi(struct kvm_irq_routing *table, uint32_t gsi,
		       const struct msi_message *message)
{
	uint32_t low = (uint32_t)message->address;
	uint32_t ext = (low >> MSI_EXT_DEST_SHIFT) & MSI_EXT_DEST_BITS;

	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {
			.address_lo =
				low & ~(MSI_EXT_DEST_BITS << MSI_EXT_DEST_SHIFT),
			.address_hi = ext << MSI_DEST_HI_SHIFT,
			.data = message->data,
		},
	};
}

/* Called with the lock held. */
static int commit(struct irq_kvm *kvm)
{
	int gsi;

	kvm->stale = false;
	kvm->table->nr = 0;
	append_pins(kvm->table);
	for (gsi = IOAPIC_PINS; gsi < kvm->gsi_count; gsi++)
		if (kvm->route[gsi].routed)
			append_msi(kvm->table, (uint32_t)gsi,
				   &kvm->route[gsi].message);
	return ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, kvm->table) ? -errno : 0;
}

static int route_alloc(struct irq_controller *irq)
{
	struct irq_kvm *kvm = to_kvm(irq);
	int span =
		kvm->gsi_count - PIN_ENTRIES; /* the pins need their entries */
	int gsi = -ENOSPC;
	int tried;

	pthread_mutex_lock(&kvm->lock);
	for (tried = 0; tried < span && gsi < 0; tried++) {
		int at = IOAPIC_PINS + (kvm->next + tried) % span;

		if (kvm->route[at].reserved)
			continue;
		kvm->route[at].reserved = true;
		kvm->next = (kvm->next + tried + 1) % span;
		gsi = at;
	}
	if (gsi >= 0 && kvm->stale)
		(void)commit(kvm); /* only drops entries, so it cannot fail */
	pthread_mutex_unlock(&kvm->lock);
	return gsi;
}

static bool is_msi(const struct irq_kvm *kvm, int gsi)
{
	return gsi >= IOAPIC_PINS && gsi < kvm->gsi_count;
}

static void route_free(struct irq_controller *irq, int gsi)
{
	struct irq_kvm *kvm = to_kvm(irq);

	if (!is_msi(kvm, gsi))
		return;
	pthread_mutex_lock(&kvm->lock);
	/* Many are freed at once: KVM learns of all before the next is used. */
	kvm->stale = true;
	memset(&kvm->route[gsi], 0, sizeof(kvm->route[gsi]));
	pthread_mutex_unlock(&kvm->lock);
}

static int route_set(struct irq_controller *irq, int gsi,
		     const struct msi_message *message)
{
	struct irq_kvm *kvm = to_kvm(irq);
	struct msi_route before;
	struct msi_route *route;
	int rc = 0;

	if (!is_msi(kvm, gsi))
		return -EINVAL;
	pthread_mutex_lock(&kvm->lock);
	route = &kvm->route[gsi];
	before = *route;
	if (!route->routed || route->message.address != message->address ||
	    route->message.data != message->data) {
		route->message = *message;
		route->routed = true;
		rc = commit(kvm);
		if (rc < 0)
			*route = before;
	}
	pthread_mutex_unlock(&kvm->lock);
	return rc;
}

static int irqfd(struct irq_controller *irq, struct kvm_irqfd args)
{
	return ioctl(to_kvm(irq)->vm_fd, KVM_IRQFD, &args) ? -errno : 0;
}

static int msi_connect(struct irq_controller *irq, int gsi, int eventfd)
{
	return irqfd(irq, (struct kvm_irqfd) { .fd = (uint32_t)eventfd,
					       .gsi = (uint32_t)gsi });
}

/* KVM consumes the count at each signal, and is done when the ioctl returns. */
static void msi_disconnect(struct irq_controller *irq, int gsi, int eventfd)
{
	(void)irqfd(irq,
		    (struct kvm_irqfd) { .fd = (uint32_t)eventfd,
					 .gsi = (uint32_t)gsi,
					 .flags = KVM_IRQFD_FLAG_DEASSIGN });
}

static int intx_connect(struct irq_controller *irq, int gsi, int eventfd,
			int resamplefd)
{
	if (gsi < 0 || gsi >= IOAPIC_PINS)
		return -EINVAL;
	return irqfd(irq,
		     (struct kvm_irqfd) { .fd = (uint32_t)eventfd,
					  .gsi = (uint32_t)gsi,
					  .flags = KVM_IRQFD_FLAG_RESAMPLE,
					  .resamplefd = (uint32_t)resamplefd });
}

/* The last device on the line lowers it: KVM does that itself on deassign. */
static void intx_disconnect(struct irq_controller *irq, int gsi, int eventfd,
			    int resamplefd)
{
	(void)irqfd(irq,
		    (struct kvm_irqfd) { .fd = (uint32_t)eventfd,
					 .gsi = (uint32_t)gsi,
					 .flags = KVM_IRQFD_FLAG_DEASSIGN,
					 .resamplefd = (uint32_t)resamplefd });
}

/* Without wildcard widths a doorbell is 16 bits wide, as virtio's is. */
static int ioeventfd(struct irq_controller *irq, uint64_t address,
		     unsigned int size, int eventfd, uint32_t flags)
{
	struct irq_kvm *kvm = to_kvm(irq);
	struct kvm_ioeventfd args = {
		.addr = address,
		.len = size || kvm->any_length ? size : 2,
		.fd = eventfd,
		.flags = flags,
	};

	return ioctl(kvm->vm_fd, KVM_IOEVENTFD, &args) ? -errno : 0;
}

static int doorbell_add(struct irq_controller *irq, uint64_t address,
			unsigned int size, int eventfd)
{
	return ioeventfd(irq, address, size, eventfd, 0);
}

static void doorbell_remove(struct irq_controller *irq, uint64_t address,
			    unsigned int size, int eventfd)
{
	(void)ioeventfd(irq, address, size, eventfd,
			KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static const struct irq_controller_ops kvm_ops = {
	.route_alloc = route_alloc,
	.route_free = route_free,
	.route_set = route_set,
	.msi_connect = msi_connect,
	.msi_disconnect = msi_disconnect,
	.intx_connect = intx_connect,
	.intx_disconnect = intx_disconnect,
	.doorbell_add = doorbell_add,
	.doorbell_remove = doorbell_remove,
};

int irq_kvm_edge_connect(struct irq_controller *irq, int pin, int eventfd)
{
	return msi_connect(irq, pin, eventfd);
}

void irq_kvm_edge_disconnect(struct irq_controller *irq, int pin, int eventfd)
{
	msi_disconnect(irq, pin, eventfd);
}

static int capability(int vm_fd, int name)
{
	int value = ioctl(vm_fd, KVM_CHECK_EXTENSION, name);

	return value < 0 ? 0 : value;
}

static struct irq_kvm *allocate(int vm_fd)
{
	struct irq_kvm *kvm = calloc(1, sizeof(*kvm));
	size_t count;

	if (!kvm)
		return NULL;
	kvm->base.ops = &kvm_ops;
	kvm->vm_fd = vm_fd;
	kvm->any_length = capability(vm_fd, KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0;
	kvm->gsi_count = capability(vm_fd, KVM_CAP_IRQ_ROUTING);
	if (kvm->gsi_count < PIN_ENTRIES)
		kvm->gsi_count = PIN_ENTRIES;
	count = (size_t)kvm->gsi_count;
	kvm->route = calloc(count, sizeof(*kvm->route));
	kvm->table = calloc(1, sizeof(*kvm->table) +
				       count * sizeof(kvm->table->entries[0]));
	if (!kvm->route || !kvm->table ||
	    pthread_mutex_init(&kvm->lock, NULL)) {
		free(kvm->route);
		free(kvm->table);
		free(kvm);
		return NULL;
	}
	return kvm;
}

int irq_kvm_create(int vm_fd, struct irq_controller **out, struct fail *fail)
{
	struct irq_kvm *kvm;
	int rc;

	if (!capability(vm_fd, KVM_CAP_IRQFD) ||
	    !capability(vm_fd, KVM_CAP_IRQFD_RESAMPLE) ||
	    !capability(vm_fd, KVM_CAP_IOEVENTFD) ||
	    !capability(vm_fd, KVM_CAP_IRQ_ROUTING))
		return fail_set(fail, -ENOSYS,
				"this host's KVM lacks irqfd, ioeventfd or "
				"interrupt routing: use Linux 5.15 or newer");
	kvm = allocate(vm_fd);
	if (!kvm)
		return fail_set(fail, -ENOMEM,
				"out of memory for interrupt routes");
	rc = commit(kvm);
	if (rc < 0) {
		irq_kvm_destroy(&kvm->base);
		return fail_set(fail, rc,
				"KVM refused the interrupt routes (%s)",
				strerror(-rc));
	}
	*out = &kvm->base;
	return 0;
}

void irq_kvm_destroy(struct irq_controller *irq)
{
	struct irq_kvm *kvm = to_kvm(irq);

	if (!irq)
		return;
	pthread_mutex_destroy(&kvm->lock);
	free(kvm->route);
	free(kvm->table);
	free(kvm);
}
