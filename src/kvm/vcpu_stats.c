/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/vcpu_stats.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* As KVM names them; kept by every KVM for x86 since Linux 5.14. */
static const char *const vcpu_stats_names[VCPU_STATS] = {
	"exits",
	"mmio_exits",
	"io_exits",
	"halt_exits",
	"irq_exits",
	"irq_injections",
	"halt_wakeup",
	"insn_emulation",
	"halt_poll_success_ns",
	"halt_poll_fail_ns",
};

#define DESCRIPTORS_MAX 256
#define NAME_MAX_BYTES  256

/* Return: which of the names it is, -1 for another */
static int stats_index(const char *name, size_t size)
{
	for (int i = 0; i < VCPU_STATS; i++)
		if (strlen(vcpu_stats_names[i]) < size &&
		    strcmp(vcpu_stats_names[i], name) == 0)
			return i;
	return -1;
}

static void stats_find(struct vcpu_stats *stats,
		       const struct kvm_stats_header *header)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size);

	for (uint32_t i = 0; desc && i < header->num_desc; i++) {
		off_t at = (off_t)(header->desc_offset + i * size);
		int index;

		if (pread(stats->fd, desc, size, at) != (ssize_t)size)
			break;
		index = stats_index(desc->name, header->name_size);
		if (index >= 0 && desc->size == 1)
			stats->at[index] = header->data_offset + desc->offset;
	}
	free(desc);
}

void vcpu_stats_open(struct vcpu_stats *stats, int vcpu_fd)
{
	struct kvm_stats_header header;

	*stats = (struct vcpu_stats) { .fd = ioctl(vcpu_fd, KVM_GET_STATS_FD,
						   NULL) };
	if (stats->fd < 0)
		return;
	if (pread(stats->fd, &header, sizeof(header), 0) == sizeof(header) &&
	    header.num_desc <= DESCRIPTORS_MAX &&
	    header.name_size <= NAME_MAX_BYTES)
		stats_find(stats, &header);
}

void vcpu_stats_print(const struct vcpu_stats *stats, FILE *out)
{
	uint64_t value;

	for (int i = 0; i < VCPU_STATS; i++)
		if (stats->at[i] && pread(stats->fd, &value, sizeof(value),
					  (off_t)stats->at[i]) == sizeof(value))
			fprintf(out, ",\"%s\":%" PRIu64, vcpu_stats_names[i],
				value);
}

void vcpu_stats_close(struct vcpu_stats *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
}
