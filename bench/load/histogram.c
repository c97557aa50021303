/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <string.h>

/* Values below 2 * HISTOGRAM_STEPS have a bucket each. */
static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < HISTOGRAM_STEPS)
		return (unsigned int)value;
	shift = 63u - (unsigned int)__builtin_clzll(value) -
		HISTOGRAM_STEP_BITS;
	return shift * HISTOGRAM_STEPS + (unsigned int)(value >> shift);
}

static uint64_t bucket_last_value(unsigned int bucket)
{
	unsigned int shift = 0;
	uint64_t step = bucket;

	if (bucket >= 2 * HISTOGRAM_STEPS) {
		shift = bucket / HISTOGRAM_STEPS - 1;
		step = bucket - (uint64_t)shift * HISTOGRAM_STEPS;
	}
	return (step << shift) + ((1ULL << shift) - 1);
}

void histogram_init(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void histogram_record(struct histogram *h, uint64_t value)
{
	h->bucket[bucket_of(value)]++;
	h->count++;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->count += from->count;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_bucket_end(const struct histogram *h, unsigned int bucket)
{
	uint64_t last = bucket_last_value(bucket);

	return last < h->max ? last : h->max;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t below = 0;
	double share;

	if (!h->count)
		return 0;
	share = percent < 0 ? 0 : percent > 100 ? 1 : percent / 100;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += h->bucket[i];
		if (below && (double)below >= share * (double)h->count)
			return histogram_bucket_end(h, i);
	}
	return h->max;
}
