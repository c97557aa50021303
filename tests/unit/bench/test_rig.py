# SPDX-License-Identifier: BSD-3-Clause
"""What the nested rig says, and what becomes of it."""
import json
import tempfile
import unittest
from types import SimpleNamespace

from mqbench import report_html, report_md, rig
from mqbench.samples import Table

import recorded


class Console:
    """A rig that says these lines and ends."""
    def __init__(self, *lines):
        self.lines = list(lines)

    def line(self, seconds):
        return self.lines.pop(0) if self.lines else None

    def complaint(self):
        return ""


def counts(flows, connections, exits, kicks):
    stats = {"cpus": [{"name": "vcpu0", "exits": exits}],
             "slirp": {"shards": [{"shard": 0, "kicks": kicks}]}}
    return f"MQ-COUNTS {flows} {connections} {json.dumps(stats)}"


class Rig(unittest.TestCase):
    def test_counts_are_of_the_connections_that_one_guest_makes_more(self):
        found = rig._listen(Console(
            "a kernel's word", counts(1, rig.FEWER, 1000, 300), counts(1, rig.MORE, 6000, 1300),
            counts(8, rig.FEWER, 1000, 300), counts(8, rig.MORE, 3500, 800)))
        self.assertEqual(found["crr-1"], {"exits": 10.0, "kicks": 2.0})
        self.assertEqual(found["crr-8"], {"exits": 5.0, "kicks": 1.0})

    def test_chance_makes_no_negative_counts(self):
        found = rig._listen(Console(
            counts(1, rig.FEWER, 1000, 310), counts(1, rig.MORE, 6000, 300),
            counts(8, rig.FEWER, 1000, 300), counts(8, rig.MORE, 3500, 800)))
        self.assertEqual(found["crr-1"]["kicks"], 0)

    def test_a_rig_that_ends_early_is_told_with_its_last_words(self):
        with self.assertRaisesRegex(OSError, "Kernel panic"):
            rig._listen(Console(counts(1, rig.FEWER, 1, 1), "Kernel panic"))

    def test_what_is_missing_is_named(self):
        with tempfile.TemporaryDirectory() as images:
            why = rig.missing(SimpleNamespace(images=images))
            self.assertRegex(why, "stock|qemu-system-x86_64")

    def test_counts_are_in_both_reports(self):
        document = recorded.document()
        self.assertNotIn("nested rig", report_md.text(Table(document)))
        document["rig"] = {"crr-1": {"exits": 12.5}}
        for report in (report_md, report_html):
            text = report.text(Table(document))
            self.assertIn("nested rig", text)
            self.assertIn("12.5", text)


if __name__ == "__main__":
    unittest.main()
