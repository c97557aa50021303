# SPDX-License-Identifier: BSD-3-Clause
"""What a run says of the project's targets, over samples that are made up."""
import unittest

from mqbench import report_html, report_md, result, samples


def sample(system, scenario, number, **more):
    return {"system": system, "scenario": scenario, "round": number, "why": None,
            "counts": more.pop("counts", {}), "result": {
                "done": 9, "bytes": 9, "errors": 0, "rate": 1.0, "mbps": 0.0, "fairness": 1.0,
                "latency_us": {"p50": 1.0, "p99": 1.0}, "histogram_us": []} | more}


def document(scenario, cpus=2, **systems):
    """A run in which each system has these results of one scenario, each a dict."""
    mode, _, flows = scenario.partition("-")
    kinds = {name: "vm" if name.startswith(("run", "qemu")) else "host" for name in systems}
    return {
        "format": 1, "complete": True, "skipped": {},
        "machine": {"processor": "P", "cpus": cpus, "memory_mib": 1, "kernel": "6",
                    "load_average": 0, "guest": "cpl3", "guest_cpus": 2,
                    "guest_memory_mib": 1, "commit": ""},
        "settings": {"flows": [int(flows)], "rounds": 6, "seconds": 1, "quick": False},
        "systems": {name: {"title": name, "kind": kind, "version": ""}
                    for name, kind in kinds.items()},
        "scenarios": [{"name": scenario, "mode": mode, "flows": int(flows)}],
        "samples": [sample(name, scenario, number, **figures)
                    for name, rows in systems.items() for number, figures in enumerate(rows)]}


def rates(*values):
    return [{"rate": float(value)} for value in values]


def verdicts(made):
    """What result.json says, by the target's text."""
    return {row["target"]: row for row in result.summary(samples.Table(made))["targets"]}


HALF = "crr-8 per second ≥ 0.5× direct"
QEMU = "crr-8 per second ≥ 1.5× best of QEMU's"


class Verdicts(unittest.TestCase):
    def judge(self, netns, direct=(100, 101, 102, 103), wanted=HALF):
        return verdicts(document("crr-8", netns=rates(*netns), direct=rates(*direct)))[wanted]

    def test_ratio_above_its_bound_with_its_whole_interval_is_met(self):
        row = self.judge((60, 61, 62, 63))
        self.assertEqual((row["verdict"], row["system"], row["bound"]), ("met", "netns", 0.5))
        self.assertAlmostEqual(row["measured"], 61.5 / 101.5)
        self.assertAlmostEqual(row["interval"][0], 60 / 103)
        self.assertAlmostEqual(row["interval"][1], 63 / 100)
        self.assertAlmostEqual(row["confidence"], 1 - 2 / 70)

    def test_ratio_below_its_bound_with_its_whole_interval_is_not_met(self):
        self.assertEqual(self.judge((40, 41, 42, 43))["verdict"], "not met")

    def test_interval_that_holds_the_bound_decides_nothing(self):
        row = self.judge((45, 60, 61, 62))
        self.assertEqual((row["verdict"], row["why"]),
                         ("not decided", "the interval holds the bound"))

    def test_few_samples_decide_nothing_however_far_from_the_bound(self):
        for netns in ((900, 901, 902), (1, 2, 3)):
            row = self.judge(netns, (100, 101, 102))
            self.assertEqual(row["verdict"], "not decided")
            self.assertIn("too few samples: 90 % confidence", row["why"])

    def test_lower_latency_is_better(self):
        def netns(p99):
            return verdicts(document(
                "crr-8", netns=[{"latency_us": {"p50": 1.0, "p99": p99}}] * 4,
                direct=[{"latency_us": {"p50": 1.0, "p99": 100.0}}] * 4))
        self.assertEqual(netns(199.0)["crr-8 p99 µs ≤ 2× direct"]["verdict"], "met")
        self.assertEqual(netns(201.0)["crr-8 p99 µs ≤ 2× direct"]["verdict"], "not met")

    def test_samples_with_errors_meet_nothing(self):
        made = document("crr-8", netns=rates(90, 91, 92, 93), direct=rates(100, 101, 102, 103))
        made["samples"][0]["result"]["errors"] = 1
        row = verdicts(made)[HALF]
        self.assertEqual((row["verdict"], row["why"]), ("not decided", "1 samples with errors"))

    def test_lost_samples_meet_nothing(self):
        made = document("crr-8", netns=rates(90, 91, 92, 93, 94), direct=rates(100, 101, 102, 103))
        made["samples"][0] |= {"result": None, "why": "cut at its limit"}
        self.assertEqual(verdicts(made)[HALF]["why"], "1 samples lost")

    def test_guests_are_measured_against_the_better_of_qemus_networks(self):
        six = range(6)
        made = document("crr-8", run=rates(*(170 + i for i in six)), **{
            "qemu-libslirp": rates(*(100 + i for i in six)),
            "qemu-passt": rates(*(50 + i for i in six))})
        self.assertAlmostEqual(verdicts(made)[QEMU]["measured"], 172.5 / 102.5)
        self.assertEqual(verdicts(made)[QEMU]["verdict"], "met")

    def test_nothing_is_best_while_a_rival_was_not_measured(self):
        made = document("crr-8", run=rates(900, 901, 902, 903), **{
            "qemu-libslirp": rates(100, 101, 102, 103)})
        row = verdicts(made)[QEMU]
        self.assertEqual((row["verdict"], row["why"]),
                         ("not decided", "qemu-passt not measured"))

    def test_queues_are_measured_side_by_side(self):
        made = document("crr-8", **{"netns/1": rates(100, 101, 102, 103),
                                    "netns/2": rates(160, 161, 162, 163)})
        row = verdicts(made)["crr-8 per second ≥ 1.5× one queue"]
        self.assertEqual((row["system"], row["verdict"]), ("netns/2", "met"))

    def test_more_flows_are_measured_against_fewer(self):
        made = document("crr-8", netns=rates(90, 91, 92, 93))
        made["scenarios"].append({"name": "crr-2", "mode": "crr", "flows": 2})
        made["samples"] += [sample("netns", "crr-2", i, rate=100.0 + i) for i in range(4)]
        self.assertEqual(verdicts(made)["crr-8 per second ≥ 1× crr-2"]["verdict"], "not met")

    def test_figures_have_bounds_of_their_own(self):
        made = document("crr-1", run=[{"counts": {"kicks": 1.5, "interrupts": 5.0}}] * 6)
        self.assertEqual(verdicts(made)["crr-1 kicks per transaction ≤ 2"]["verdict"], "met")
        self.assertEqual(verdicts(made)["crr-1 interrupts per transaction ≤ 4"]["verdict"],
                         "not met")

    def test_target_without_samples_is_left_out(self):
        made = document("crr-8", direct=rates(1, 2, 3, 4))
        self.assertEqual(verdicts(made), {})
        self.assertNotIn("## Targets", report_md.text(samples.Table(made)))

    def test_reports_tell_verdicts_and_for_what_machine_the_targets_were_set(self):
        made = document("crr-8", cpus=64, netns=rates(40, 41, 42, 43),
                        direct=rates(100, 101, 102, 103))
        table = samples.Table(made)
        row = "| netns crr-8 per second ≥ 0.5× direct | 0.409× [0.388–0.43] | not met |"
        self.assertIn(row, report_md.text(table))
        self.assertIn("not met", report_html.text(table))
        self.assertIn("this machine has 64", report_md.text(table))


if __name__ == "__main__":
    unittest.main()
