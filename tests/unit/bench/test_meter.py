# SPDX-License-Identifier: BSD-3-Clause
"""What a sample costs."""
import os
import struct
import tempfile
import unittest

from mqbench import allocations
from mqbench.meter import Meter


class Meters(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "heap")

    def test_allocations_of_asking_for_counters_are_not_the_samples(self):
        heap = allocations.Allocations("library.so", self.path)
        self.assertEqual(heap.environment()["LD_PRELOAD"], "library.so")
        asked = iter((100, 600))

        def ask():
            self.add(1000)  # mqvmm opens a file
            return {("shards", "kicks"): next(asked)}

        meter = Meter(ask, heap, set())
        meter.begin()
        self.add(50)
        meter.end()
        self.assertEqual(meter.counts(250), {"kicks": 2.0, "heap allocations": 0.2})

    def add(self, count):
        with open(self.path, "r+b") as file:
            old = struct.unpack("=q", file.read(8))[0]
            file.seek(0)
            file.write(struct.pack("=q", old + count))

    def test_where_nothing_counts_there_are_no_counts(self):
        meter = Meter(lambda: None, allocations.Allocations(None, self.path), set())
        meter.begin()
        meter.end()
        self.assertEqual(meter.counts(100), {})

    def test_no_library_no_variables(self):
        self.assertEqual(allocations.Allocations(None, self.path).environment(), {})
        self.assertIsNone(allocations.find(os.path.dirname(self.path)))


if __name__ == "__main__":
    unittest.main()
