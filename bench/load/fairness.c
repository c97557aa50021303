/* SPDX-License-Identifier: BSD-3-Clause */
#include "fairness.h"

double fairness_index(const uint64_t *shares, unsigned int count)
{
	double sum = 0;
	double squares = 0;

	for (unsigned int i = 0; i < count; i++) {
		double share = (double)shares[i];

		sum += share;
		squares += share * share;
	}
	return squares > 0 ? sum * sum / (count * squares) : 1;
}
