# SPDX-License-Identifier: BSD-3-Clause
"""Reports of recorded samples, whole and in part."""
import html.parser
import json
import os
import re
import tempfile
import unittest

import recorded
from mqbench import report, samples, scenarios


class Tags(html.parser.HTMLParser):
    """Which elements are open, and what refers to elsewhere."""
    VOID = ("meta",)

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.names, self.links = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def written(document):
    """result.json, report.md and report.html of a document."""
    with tempfile.TemporaryDirectory() as folder:
        report.write(document, folder)
        texts = []
        for name in ("result.json", "report.md", "report.html"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(file.read())
    return json.loads(texts[0]), texts[1], texts[2]


class Report(unittest.TestCase):
    def setUp(self):
        self.document = recorded.document()

    def test_result_has_the_keys_of_the_network_bench(self):
        result, _, _ = written(self.document)
        netns = result["systems"]["netns"]
        self.assertGreater(netns["tcp_throughput_g2h_mbps"], 0)
        self.assertGreater(netns["tcp_crr_latency_us_p50"], 0)
        self.assertIsNone(netns["udp_dns_qps"])
        self.assertEqual([row["flows"] for row in netns["concurrent"] if row["mode"] == "crr"],
                         [1, 2])

    def test_medians_are_those_of_the_samples(self):
        result, _, _ = written(self.document)
        rates = sorted(s["result"]["rate"] for s in self.document["samples"]
                       if (s["system"], s["scenario"]) == ("netns", "crr-2"))
        row = next(row for row in result["systems"]["netns"]["concurrent"]
                   if (row["mode"], row["flows"]) == ("crr", 2))
        self.assertEqual(row["per_second"], rates[len(rates) // 2])
        self.assertGreater(row["counts_per_transaction"]["system calls"], 1)

    def test_tables_have_ratios_to_direct_and_to_the_best_peer(self):
        _, markdown, _ = written(self.document)
        row = next(line for line in markdown.split("\n") if line.startswith("| M=2 per second"))
        self.assertEqual(len(re.findall("× direct", row)), 2)
        self.assertEqual(len(re.findall("× best peer", row)), 1)

    def test_page_is_whole_and_needs_nothing_from_elsewhere(self):
        tags = Tags()
        page = written(self.document)[2]
        tags.feed(page)
        self.assertEqual((tags.open, tags.wrong, tags.links), ([], [], []))
        self.assertIn("svg", tags.names)
        self.assertNotIn("script", tags.names)
        self.assertIsNone(re.search(r"https?://|@import|url\(", page))
        self.assertIn("prefers-color-scheme: dark", page)

    def test_latencies_are_drawn_from_whole_histograms(self):
        for sample in self.document["samples"]:
            sample["result"]["histogram_us"] = [[10, 1], [20, 2], [90, 1]]
        page = written(self.document)[2]
        figure = re.search("<h3>[^<]*latencies with 2 flows</h3>.*?</figure>", page).group()
        for path in re.findall(' d="([^"]*)"', figure):
            self.assertEqual(len(re.findall("[ML]", path)), 3)
            self.assertEqual(path.split()[-1], "14.0")  # all of them: the top

    def test_interrupted_run_says_so(self):
        self.document["complete"] = False
        for count in (0, 1, 5):
            part = dict(self.document, samples=self.document["samples"][:count])
            result, markdown, page = written(part)
            self.assertFalse(result["complete"])
            self.assertIn("INCOMPLETE", markdown)
            self.assertIn("INCOMPLETE", page)

    def test_lost_sample_is_told_with_its_reason(self):
        self.document["samples"][0] = dict(self.document["samples"][0], result=None,
                                           why="cut at its limit: <nothing> within 9 s")
        _, markdown, page = written(self.document)
        self.assertIn("cut at its limit: <nothing> within 9 s", markdown)
        self.assertIn("cut at its limit: &lt;nothing&gt; within 9 s", page)

    def test_skipped_system_is_told(self):
        self.document["skipped"] = {"pasta": "pasta is not installed"}
        _, markdown, page = written(self.document)
        self.assertIn("skipped: pasta is not installed", markdown)
        self.assertIn("skipped: pasta is not installed", page)


class Samples(unittest.TestCase):
    def test_saved_document_is_read_back(self):
        document = recorded.document()
        with tempfile.TemporaryDirectory() as folder:
            samples.save(document, os.path.join(folder, "samples.json"))
            self.assertEqual(samples.load(folder), document)
            empty = dict(document, samples=[])
            samples.save(empty, os.path.join(folder, "samples.json"))
            self.assertEqual(samples.load(folder), empty)

    def test_other_file_is_an_error_that_says_what_is_wanted(self):
        with tempfile.NamedTemporaryFile("w") as file:
            for text in ("", "[]", '{"format": 99}', "{"):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
                with self.assertRaisesRegex(ValueError, "no samples.json"):
                    samples.load(file.name)

    def test_builds_side_by_side_are_taken_apart(self):
        document = recorded.document()
        document["systems"] = {"netns@a": {}, "netns@b": {}, "direct": {}}
        for sample in document["samples"]:
            sample["system"] += "@a" if sample["system"] == "netns" else ""
        part = samples.split(document, "a")
        self.assertEqual(list(part["systems"]), ["netns"])
        self.assertEqual({sample["system"] for sample in part["samples"]}, {"netns"})

    def test_figures_that_a_mode_lacks_count_for_nothing(self):
        document = recorded.document()
        table = samples.Table(document)
        scenario = document["scenarios"][0]["name"]
        self.assertEqual(table.values("netns", scenario, "loss"), [])


    def test_sample_in_which_nothing_was_done_is_lost(self):
        document = recorded.document()
        document["samples"][0]["result"] |= {"done": 0, "errors": 2}
        table = samples.Table(document)
        self.assertEqual(len(table.failures), 1)
        self.assertIn("nothing was done", table.failures[0]["why"])


class Scenarios(unittest.TestCase):
    MODES = {"crr", "rr", "udp", "up", "down", "dnsq", "ping", "udpstream", "mixed", "ramp"}

    def test_each_title_is_measured_unless_quick(self):
        modes = {s.mode for s in scenarios.choose([1, 2], False, self.MODES)}
        self.assertEqual(modes, set(scenarios.TITLES))

    def test_named_scenarios_have_all_flows(self):
        chosen = scenarios.choose([1, 2, 4], False, self.MODES, ["crr", "mixed"])
        self.assertEqual([s.name for s in chosen],
                         ["crr-1", "crr-2", "crr-4", "mixed-1", "mixed-2", "mixed-4"])

    def test_echo_goes_to_an_address_without_a_port(self):
        words = scenarios.Scenario("icmp", 1).arguments("10.0.2.2:99", 1)
        self.assertEqual(words[:3], ["ping", "--to", "10.0.2.2"])

    def test_bulk_has_a_server_with_a_small_buffer(self):
        self.assertIn("4096", scenarios.Scenario("bulk", 1).server)

    def test_old_mqload_is_not_asked_for_what_it_does_not_know(self):
        self.assertEqual({s.mode for s in scenarios.choose([1], False, {"crr"})},
                         {"crr", "open"})


if __name__ == "__main__":
    unittest.main()
