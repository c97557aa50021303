# SPDX-License-Identifier: BSD-3-Clause
"""Rounds, children and counters, with systems that only pretend."""
import contextlib
import io
import json
import os
import tempfile
import time
import unittest
from unittest import mock

from mqbench import counters, process, progress, runner, scenarios

RESULT = {"done": 10, "seconds": 1, "rate": 10, "mbps": 0, "errors": 0}


class Pretender:
    kind = "host"

    def __init__(self, name, log, error=None):
        self.name, self.log, self.error = name, log, error

    def sample(self, scenario, seconds):
        self.log.append((self.name, scenario.name))
        if self.error:
            raise self.error
        return RESULT, {"kicks": 1}


class GuestPretender(Pretender):
    kind = "vm"

    def round(self, chosen, seconds, taken):
        for scenario in chosen:
            self.log.append((self.name, scenario.name))
            taken(scenario, None if self.error else RESULT, {}, self.error)


def run(systems, chosen, rounds=2):
    document = {"settings": {"seconds": 1, "rounds": rounds}, "samples": [], "skipped": {}}
    with contextlib.redirect_stderr(io.StringIO()) as said:
        runner.Runner(document, systems, chosen, lambda: None).run()
    return document, said.getvalue()


class Rounds(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.chosen = scenarios.choose([1, 4], True, {"crr"})

    def test_systems_take_turns_and_every_other_round_goes_backwards(self):
        run([Pretender("a", self.log), Pretender("b", self.log)], self.chosen[:1])
        self.assertEqual([name for name, _ in self.log], ["a", "b", "b", "a"])

    def test_guest_measures_all_scenarios_of_a_round_in_one_boot(self):
        kept = run([GuestPretender("vm", self.log)], self.chosen)[0]["samples"]
        self.assertEqual([s for _, s in self.log], ["crr-1", "crr-4", "crr-1", "crr-4"])
        self.assertEqual(len(kept), 4)

    def test_system_that_hangs_is_reported_and_the_others_go_on(self):
        document, said = run([Pretender("a", self.log, process.TooLong("nothing within 1 s")),
                              Pretender("b", self.log)], self.chosen)
        kept = document["samples"]
        lost = [sample for sample in kept if sample["result"] is None]
        self.assertEqual({sample["system"] for sample in lost}, {"a"})
        self.assertIn("cut at its limit: nothing within 1 s", lost[0]["why"])
        self.assertEqual(len(kept) - len(lost), 4)
        self.assertIn("a crr-1: cut at its limit", said)

    def test_system_that_always_hangs_is_given_up(self):
        document, said = run([Pretender("a", self.log, process.TooLong("nothing")),
                              Pretender("b", self.log)], self.chosen, rounds=5)
        self.assertEqual(self.log.count(("a", "crr-1")) + self.log.count(("a", "crr-4")), 3)
        self.assertIn("given up", document["skipped"]["a"])
        self.assertNotIn("b", document["skipped"])
        self.assertIn("scenario 20 of 20", said)

    def test_guest_is_given_up_after_three_boots(self):
        run([GuestPretender("vm", self.log, process.TooLong("nothing"))], self.chosen, rounds=5)
        self.assertEqual(len(self.log), 3 * len(self.chosen))

    def test_system_that_fails_at_once_is_tried_again(self):
        run([Pretender("a", self.log, OSError("refused"))], self.chosen, rounds=5)
        self.assertEqual(len(self.log), 10)

    def test_progress_counts_scenarios_and_tells_the_time_left(self):
        _, said = run([Pretender("a", self.log)], self.chosen)
        self.assertRegex(said, r"scenario 1 of 4: crr-1 a, round 1 of 2, \d+:\d\d left")
        self.assertRegex(said, r"scenario 4 of 4: crr-4 a, round 2 of 2")


class TimeLeft(unittest.TestCase):
    def setUp(self):
        self.chosen = scenarios.choose([1, 4], True, {"crr", "up"}, ["crr", "up"])
        self.fast, self.slow = Pretender("fast", []), Pretender("slow", [])
        self.clock = 0.0
        patch = mock.patch("time.monotonic", lambda: self.clock)
        patch.start()
        self.addCleanup(patch.stop)

    def started(self, *systems):
        with contextlib.redirect_stderr(io.StringIO()):
            made = progress.Progress(systems, self.chosen, 3, 2)
        return made

    def pass_sample(self, made, system, scenario, seconds):
        with contextlib.redirect_stderr(io.StringIO()):
            made.begin("")
        self.clock += seconds
        made.end(system, scenario, True)

    def test_before_anything_was_measured_it_is_what_was_planned(self):
        made = self.started(self.fast, self.slow)
        self.assertEqual(made.seconds_left(), 2 * 4 * 3 * (2 + progress.AROUND_S))
        self.assertEqual(self.started(GuestPretender("vm", [])).seconds_left(),
                         4 * 3 * (2 + progress.AROUND_S) + 3 * progress.BOOT_S)

    def test_what_overran_once_will_overrun_again(self):
        made = self.started(self.fast)
        self.pass_sample(made, self.fast, self.chosen[0], 3)
        self.pass_sample(made, self.fast, self.chosen[1], 3)
        self.pass_sample(made, self.fast, self.chosen[2], 40)
        self.pass_sample(made, self.fast, self.chosen[3], 3)
        self.assertEqual(made.seconds_left(), 2 * (3 + 3 + 40 + 3))

    def test_slow_system_does_not_make_others_look_slow(self):
        made = self.started(self.fast, self.slow)
        for scenario in self.chosen:
            self.pass_sample(made, self.fast, scenario, 3)
            self.pass_sample(made, self.slow, scenario, 10)
        for scenario in self.chosen:
            self.pass_sample(made, self.slow, scenario, 10)
            self.pass_sample(made, self.slow, scenario, 10)
        self.assertEqual(made.seconds_left(), 2 * 4 * 3)

    def test_what_a_system_was_not_asked_yet_overruns_like_the_rest_of_it(self):
        made = self.started(self.slow)
        self.pass_sample(made, self.slow, self.chosen[0], 10)
        self.assertEqual(made.seconds_left(), 11 * 10)


class Children(unittest.TestCase):
    def test_silent_program_is_cut_with_all_that_it_started(self):
        with process.Child(["sh", "-c", "sleep 1234.5 & echo $!; wait"]) as child:
            inner = int(child.line(10))
            with self.assertRaises(process.TooLong):
                child.line(0.05)
        end = time.monotonic() + 10
        while os.path.exists(f"/proc/{inner}/stat") and time.monotonic() < end:
            with open(f"/proc/{inner}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    break
        else:
            self.assertFalse(os.path.exists(f"/proc/{inner}/stat"))

    def test_complaint_is_the_last_line_of_standard_error(self):
        with process.Child(["sh", "-c", "echo one >&2; echo two >&2; echo"]) as child:
            self.assertEqual(child.line(10), "")
            self.assertIsNone(child.find("x", 10))
            self.assertEqual(child.complaint(), "two")


class Counters(unittest.TestCase):
    def test_sums_over_shards_and_queues_per_transaction(self):
        document = {"version": "1", "slirp": {"engine": "epoll", "shards": [
            {"shard": 0, "syscalls": 30, "waits": 4}, {"shard": 1, "syscalls": 20, "waits": 1}]},
            "net": {"queues": [{"queue": 0, "interrupts": 7}]}}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            after = counters.read(file.name)
        before = {key: 0 for key in after}
        self.assertEqual(counters.difference(before, after, 10),
                         {"system calls": 5, "wake-ups": 0.5, "interrupts": 0.7})

    def test_system_without_counters_has_none(self):
        self.assertEqual(counters.difference(None, None, 10), {})


if __name__ == "__main__":
    unittest.main()
