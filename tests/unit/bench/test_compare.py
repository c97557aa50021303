# SPDX-License-Identifier: BSD-3-Clause
"""mqvmm bench compare over recorded samples."""
import contextlib
import io
import os
import tempfile
import unittest

import recorded
from mqbench import compare, samples


def only(document, rounds):
    return dict(document, samples=[s for s in document["samples"] if s["round"] < rounds])


class Compare(unittest.TestCase):
    def setUp(self):
        self.a = recorded.document()

    def test_a_run_does_not_differ_from_itself(self):
        rows = compare.rows(self.a, self.a)
        self.assertTrue(rows)
        self.assertFalse([row for row in rows if row["differs"]])
        self.assertEqual({row["shift"] for row in rows}, {0})

    def test_a_faster_system_is_better_in_all_and_by_how_much(self):
        rows = compare.rows(self.a, recorded.faster(self.a, "netns", 100))
        mine = [row for row in rows if row["system"] == "netns"]
        self.assertTrue(all(row["better"] for row in mine))
        self.assertFalse([row for row in rows if row["differs"] and row["system"] != "netns"])
        rate = next(row for row in mine if row["metric"].path == "rate")
        self.assertAlmostEqual(rate["shift"] / rate["a"], 99, delta=60)

    def test_a_slower_system_is_worse(self):
        rows = compare.rows(self.a, recorded.faster(self.a, "netns", 0.01))
        mine = [row for row in rows if row["system"] == "netns"]
        self.assertTrue(all(row["differs"] and not row["better"] for row in mine))

    def test_exit_status_tells_what_became_worse(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, factor in (("same", 1), ("fast", 100), ("slow", 0.01)):
                paths.append(os.path.join(folder, name))
                samples.save(recorded.faster(self.a, "netns", factor), paths[-1])
            with contextlib.redirect_stdout(io.StringIO()) as out:
                statuses = [compare.main([paths[0], path]) for path in paths]
        self.assertEqual(statuses, [0, 0, 1])
        self.assertIn("| worse |", out.getvalue())
        self.assertNotIn("| noise |", out.getvalue())

    def test_too_few_rounds_are_told(self):
        text = compare.text(only(self.a, 2), only(recorded.faster(self.a, "netns", 100), 2))
        self.assertIn("--rounds 4", text)
        self.assertNotIn("better", text)

    def test_another_machine_is_told(self):
        other = dict(self.a, machine=dict(self.a["machine"], kernel="6.1.0"))
        self.assertIn("Not the same machine: kernel", compare.text(self.a, other))

    def test_what_b_lost_all_samples_of_is_worse(self):
        b = recorded.document()
        for sample in b["samples"]:
            if (sample["system"], sample["scenario"]) == ("netns", "crr-2"):
                sample |= {"result": None, "why": "cut at its limit"}
        text = compare.text(self.a, b)
        self.assertIn("Worse: B has nothing of netns crr-2", text)
        self.assertIn(f"B lost 5 of its {len(b['samples'])} samples", text)
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in "ab"]
            for document, path in zip((self.a, b), paths):
                samples.save(document, path)
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(compare.main(paths), 1)
                self.assertEqual(compare.main(paths[::-1]), 0)

    def test_what_only_one_has_is_told(self):
        b = recorded.document()
        b["systems"]["pasta"] = b["systems"].pop("slirp4netns")
        b["samples"] = [s for s in b["samples"] if s["system"] != "slirp4netns"]
        b["complete"] = False
        text = compare.text(self.a, b)
        self.assertIn("Only in A, and not compared: slirp4netns.", text)
        self.assertIn("Only in B, and not compared: pasta.", text)
        self.assertIn("B was interrupted", text)

    def test_nothing_in_common_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "in common"):
            compare.text(self.a, dict(self.a, systems={}))


if __name__ == "__main__":
    unittest.main()
