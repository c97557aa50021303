# SPDX-License-Identifier: BSD-3-Clause
"""The statistics against values from tables and by definition."""
import random
import unittest

from mqbench import stats


class MedianInterval(unittest.TestCase):
    def test_six_samples_hold_it_with_97_percent_between_the_ends(self):
        median, low, high, coverage = stats.median_interval([5, 1, 4, 2, 6, 3])
        self.assertEqual((median, low, high), (3.5, 1, 6))
        self.assertAlmostEqual(coverage, 0.96875)

    def test_ten_samples_leave_the_ends_out(self):
        _, low, high, coverage = stats.median_interval(range(10))
        self.assertEqual((low, high), (1, 8))
        self.assertAlmostEqual(coverage, 1 - 2 * 11 / 1024)

    def test_few_samples_tell_the_coverage_that_they_have(self):
        self.assertAlmostEqual(stats.median_interval([1, 2, 3])[3], 0.75)
        self.assertEqual(stats.median_interval([7]), (7, 7, 7, 0))

    def test_nothing_has_no_median(self):
        self.assertIsNone(stats.median_interval([]))


class MannWhitney(unittest.TestCase):
    def test_groups_apart_have_the_smallest_p(self):
        self.assertAlmostEqual(stats.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), 2 / 252)
        self.assertAlmostEqual(stats.smallest_p(5, 5), 2 / 252)

    def test_exact_value_of_a_table(self):
        # U = 4 of groups of 4 and 5: 0.095 on one side.
        a, b = [1, 2, 3, 8], [4, 5, 6, 7, 9]
        self.assertEqual(sum(x > y for x in a for y in b), 4)
        self.assertAlmostEqual(stats.mann_whitney(a, b), 2 * 12 / 126)

    def test_equal_groups_do_not_differ(self):
        self.assertEqual(stats.mann_whitney([3, 3, 3], [3, 3, 3]), 1.0)
        self.assertEqual(stats.mann_whitney([], [1]), 1.0)

    def test_order_of_groups_does_not_matter(self):
        a, b = [1, 5, 9, 2], [4, 8, 8, 12, 7]
        self.assertAlmostEqual(stats.mann_whitney(a, b), stats.mann_whitney(b, a))

    def test_normal_approximation_is_near_the_exact_value(self):
        generator = random.Random(1)
        a = [generator.gauss(0, 1) for _ in range(9)]
        b = [generator.gauss(1, 1) for _ in range(9)]
        self.assertLess(abs(stats._p_exact(a, b) - stats._p_normal(a, b)), 0.02)

    def test_false_alarms_are_as_rare_as_promised(self):
        generator = random.Random(2)
        alarms = sum(stats.mann_whitney([generator.random() for _ in range(6)],
                                        [generator.random() for _ in range(6)]) <= 0.05
                     for _ in range(400))
        self.assertLess(alarms / 400, 0.08)


class HodgesLehmann(unittest.TestCase):
    def test_shift_is_found_and_in_its_interval(self):
        a = [10, 12, 11, 13, 9, 10.5]
        shift, low, high, _ = stats.hodges_lehmann(a, [x + 3 for x in a])
        self.assertEqual(shift, 3)
        self.assertTrue(low < 3 < high)

    def test_one_outlier_does_not_move_it(self):
        shift, *_ = stats.hodges_lehmann([1, 2, 3, 4, 5], [1, 2, 3, 4, 5000])
        self.assertLess(shift, 2)

    def test_single_samples_have_their_difference(self):
        self.assertEqual(stats.hodges_lehmann([1], [4]), (3, 3, 3, 0))

    def test_interval_leaves_out_what_the_tables_of_u_say(self):
        # Critical values of U, two-sided, 5 %; at each end so many differences.
        for m, n, critical in ((4, 4, 0), (5, 5, 2), (6, 6, 5), (4, 7, 3), (10, 10, 23)):
            a, b = [i * n for i in range(m)], [i * m * n ** 2 + i for i in range(n)]
            differences = sorted(y - x for x in a for y in b)
            _, low, high, coverage = stats.hodges_lehmann(a, b)
            self.assertEqual(low, differences[critical])
            self.assertEqual(high, differences[-1 - critical])
            self.assertGreaterEqual(coverage, 0.95)

    def test_interval_of_many_samples_is_near_the_exact_one(self):
        generator = random.Random(3)
        a = [generator.random() for _ in range(51)]
        exact = stats.hodges_lehmann(a[:50], a[1:])
        near = stats.hodges_lehmann(a, a)
        self.assertAlmostEqual(exact[2] - exact[1], near[2] - near[1], delta=0.02)

    def test_few_samples_tell_the_confidence_that_they_have(self):
        self.assertAlmostEqual(stats.hodges_lehmann([1, 2, 3], [4, 5, 6])[3], 1 - 2 / 20)


class Ratio(unittest.TestCase):
    def test_ratio_of_the_medians_with_an_interval(self):
        found, low, high, _ = stats.ratio([20, 22, 24, 26], [10, 11, 12, 13])
        self.assertEqual(found, 2)
        self.assertAlmostEqual(low, 20 / 13)
        self.assertAlmostEqual(high, 26 / 10)

    def test_nothing_is_a_multiple_of_nothing(self):
        self.assertIsNone(stats.ratio([1, 2], [0, 1]))


class FalseDiscoveries(unittest.TestCase):
    def test_example_of_benjamini_and_hochberg(self):
        p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
             0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
        self.assertEqual(sum(stats.benjamini_hochberg(p)), 4)

    def test_lone_small_value_among_many_is_chance(self):
        self.assertFalse(any(stats.benjamini_hochberg([0.04] + [0.5] * 20)))
        self.assertEqual(stats.benjamini_hochberg([]), [])


if __name__ == "__main__":
    unittest.main()
