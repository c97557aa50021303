/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_FAIRNESS_H
#define MQVMM_LOAD_FAIRNESS_H

#include <stdint.h>

/**
 * fairness_index() - How evenly flows shared, by Jain's index
 * @shares:	What each flow got
 * @count:	Flows
 *
 * (sum of x)^2 / (count * sum of x^2): Jain, Chiu, Hawe, DEC TR-301, 1984.
 *
 * Return: 1 when all got the same (also when all got nothing), 1 / @count when
 * one got all
 */
double fairness_index(const uint64_t *shares, unsigned int count);

#endif
