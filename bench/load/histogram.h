/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_HISTOGRAM_H
#define MQVMM_LOAD_HISTOGRAM_H

#include <stdint.h>

/*
 * Log-linear buckets: each power of two is cut into HISTOGRAM_STEPS equal
 * parts, so a value is known to within 1/64 (1.6 %) of itself. Any 64-bit
 * value has its place: nanoseconds from 0 to centuries.
 */
#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_STEPS     (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_BUCKETS   ((64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS)

/**
 * struct histogram - How often each latency was seen
 * @count:	Values recorded
 * @min:	Smallest of them, exact; UINT64_MAX when there are none
 * @max:	Largest of them, exact
 * @bucket:	Values per bucket
 *
 * Owned by one thread until it is merged. The unit is the caller's.
 */
struct histogram {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/**
 * histogram_init() - Make an empty histogram
 * @h:		Histogram, its former content is lost
 */
void histogram_init(struct histogram *h);

/**
 * histogram_record() - Count one value
 * @h:		Histogram
 * @value:	Any value
 */
void histogram_record(struct histogram *h, uint64_t value);

/**
 * histogram_merge() - Add all values of one histogram to another
 * @into:	Histogram that grows
 * @from:	Histogram that stays as it is
 */
void histogram_merge(struct histogram *into, const struct histogram *from);

/**
 * histogram_percentile() - The value that a share of all values does not exceed
 * @h:		Histogram
 * @percent:	0 to 100; values outside are clamped
 *
 * Return: the upper end of the bucket that holds it, never above the largest
 * value seen; 0 when the histogram is empty
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/**
 * histogram_bucket_end() - The largest value of a bucket
 * @h:		Histogram
 * @bucket:	Below HISTOGRAM_BUCKETS
 *
 * Return: the value, never above the largest one seen
 */
uint64_t histogram_bucket_end(const struct histogram *h, unsigned int bucket);

#endif
