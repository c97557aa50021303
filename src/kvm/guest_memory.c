/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/guest_memory.h"

void *guest_memory_at(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size)
{
	unsigned int i;

	if (size == 0)
		return NULL;
	for (i = 0; i < memory->region_count; i++) {
		const struct guest_memory_region *region = &memory->region[i];
		uint64_t offset = gpa - region->gpa;

		/* Neither test can overflow: gpa + size is never formed. */
		if (gpa >= region->gpa && offset < region->size &&
		    size <= region->size - offset)
			return region->host + offset;
	}
	return NULL;
}
