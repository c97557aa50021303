# SPDX-License-Identifier: BSD-3-Clause
"""Non-parametric statistics of few samples: nothing here assumes a shape."""
import itertools
import math
import statistics

# Up to so many ways to split the samples into two groups, all are counted.
EXACT_SPLITS = 50000
# And up to so many pairs of samples the exact distribution of U is made.
EXACT_PAIRS = 2500


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


def _u_counts(m, n):
    """In how many of the orders of m and n values Mann and Whitney's U is 0, 1, ...:
    the coefficients of Gauss' binomial."""
    counts = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for u in range(m * n, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, m * n + 1):
            counts[u] += counts[u - i]
    return counts


def _outside(m, n, confidence):
    """How many of the m * n pairwise differences lie outside of the interval at each
    end, and the confidence that it really has."""
    if m * n > EXACT_PAIRS:
        z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
        return int(m * n / 2 - z * math.sqrt(m * n * (m + n + 1) / 12)), confidence
    total, below, best = math.comb(m + n, m), 0, None
    for outside, count in enumerate(_u_counts(m, n)[:m * n // 2 + 1]):
        below += count
        coverage = 1 - 2 * below / total
        if best and coverage < confidence:
            break
        best = outside, coverage
    return best


def hodges_lehmann(a, b, confidence=0.95):
    """By how much b lies above a: (shift, low, high, coverage), the median of all
    pairwise differences and Moses' interval. Few samples do not reach the
    confidence; the widest interval is given with the coverage that it has."""
    differences = sorted(y - x for x in a for y in b)
    outside, coverage = _outside(len(a), len(b), confidence)
    return (statistics.median(differences), differences[outside], differences[-1 - outside],
            coverage)


def ratio(a, b, confidence=0.95):
    """How many times a is b: (ratio, low, high, coverage), that of the medians and
    the interval of hodges_lehmann() of their logarithms; None where one is 0."""
    if min(*a, *b) <= 0:
        return None
    _, low, high, coverage = hodges_lehmann(
        [math.log(value) for value in b], [math.log(value) for value in a], confidence)
    return statistics.median(a) / statistics.median(b), math.exp(low), math.exp(high), coverage


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
