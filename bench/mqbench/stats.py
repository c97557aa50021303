# SPDX-License-Identifier: BSD-3-Clause
"""Non-parametric statistics of few samples: nothing here assumes a shape."""
import itertools
import math
import statistics

# Up to so many ways to split the samples into two groups, all are counted.
EXACT_SPLITS = 50000


def median_interval(values, confidence=0.95):
    """Median of values and an interval of order statistics that holds the true
    median: (median, low, high, coverage). With few samples no interval reaches
    the confidence; the widest is given with the coverage that it has."""
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return None
    best = (0, count - 1, 1 - 2 ** (1 - count))
    for rank in range((count + 1) // 2):
        outside = 2 * sum(math.comb(count, i) for i in range(rank + 1)) / 2 ** count
        if 1 - outside < confidence:
            break
        best = (rank, count - 1 - rank, 1 - outside)
    low, high, coverage = best
    return statistics.median(ordered), ordered[low], ordered[high], coverage


def _u_statistic(a, b):
    return sum((x > y) + 0.5 * (x == y) for x in a for y in b)


def _p_exact(a, b):
    """All splits of the pooled values are equally likely under the null."""
    pooled = list(a) + list(b)
    middle = len(a) * len(b) / 2
    distance = abs(_u_statistic(a, b) - middle)
    ordered = sorted(pooled)
    rank = {value: (ordered.index(value) + 1 + len(ordered) - ordered[::-1].index(value)) / 2
            for value in set(pooled)}
    least = len(a) * (len(a) + 1) / 2
    ranks = [rank[value] for value in pooled]
    splits = list(itertools.combinations(ranks, len(a)))
    far = sum(abs(sum(split) - least - middle) >= distance - 1e-9 for split in splits)
    return far / len(splits)


def _p_normal(a, b):
    pooled = list(a) + list(b)
    total = len(pooled)
    ties = sum(pooled.count(value) ** 3 - pooled.count(value) for value in set(pooled))
    variance = len(a) * len(b) / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = abs(_u_statistic(a, b) - len(a) * len(b) / 2)
    return math.erfc(max(distance - 0.5, 0) / math.sqrt(2 * variance))


def mann_whitney(a, b):
    """Two-sided p-value that a and b come from one distribution; exact, ties
    included, where few enough splits are to be counted."""
    if not a or not b:
        return 1.0
    if math.comb(len(a) + len(b), len(a)) <= EXACT_SPLITS:
        return _p_exact(a, b)
    return _p_normal(a, b)


def smallest_p(count_a, count_b):
    """What mann_whitney() gives at best for so many samples."""
    return 2 / math.comb(count_a + count_b, count_a) if count_a and count_b else 1.0


def hodges_lehmann(a, b, confidence=0.95):
    """By how much b lies above a: (shift, low, high), the median of all pairwise
    differences and Moses' interval by the normal approximation."""
    differences = sorted(y - x for x in a for y in b)
    count = len(differences)
    z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    spread = math.sqrt(count * (len(a) + len(b) + 1) / 12)
    cut = min(max(int(count / 2 - z * spread), 0), (count - 1) // 2)
    return statistics.median(differences), differences[cut], differences[-1 - cut]


def benjamini_hochberg(p_values, rate=0.05):
    """Which of many tests to believe, so that of those believed a share of rate
    is false: a list of bool, as p_values."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    last = 0
    for position, i in enumerate(order, 1):
        if p_values[i] <= rate * position / len(order):
            last = position
    believed = set(order[:last])
    return [i in believed for i in range(len(p_values))]
