# SPDX-License-Identifier: BSD-3-Clause
"""Reports of recorded samples, whole and in part."""
import html.parser
import json
import os
import re
import tempfile
import unittest

import recorded
from mqbench import plots, report, scenarios

MODES = {"crr", "rr", "udp", "up", "down", "dnsq", "ping", "rx"}


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

    def test_every_key_of_the_network_bench_has_its_scenario(self):
        keys = {
            "tcp_throughput_g2h_mbps": "up", "tcp_throughput_h2g_mbps": "down",
            "tcp_bulk_throughput_g2h_mbps": "bulk", "tcp_rr_latency_us_p50": "rr",
            "tcp_rr_latency_us_p99": "rr", "tcp_crr_latency_us_p50": "crr",
            "udp_dns_qps": "dnsq", "icmp_rr_latency_us_p50": "icmp",
            "tcp_rx_latency_us_p50": "rx"}
        measured = {s.mode for s in scenarios.choose([1, 2], False, MODES)
                    if s.flows == 1}
        for key, mode in keys.items():
            document = recorded.turned_into(self.document, "crr-1", mode, {})
            self.assertIn(mode, measured)
            self.assertGreater(written(document)[0]["systems"]["netns"][key], 0)

    def test_rows_of_concurrent_flows_are_there(self):
        netns = written(self.document)[0]["systems"]["netns"]
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
        plot = figure.partition("</ul>")[2]
        lines = re.findall('class="line [^>]* d="([^"]*)"', plot)
        self.assertEqual(len(lines), 3)
        for path in lines:
            self.assertEqual(len(re.findall("[ML]", path)), 3)
            self.assertEqual(path.split()[-1], "14.0")  # all of them: the top

    def test_lines_are_told_apart_without_colours(self):
        looks = [plots.Look(number) for number in range(20)]
        drawn = {re.sub(r" c\d+|class=.[a-z ]*.", "", look.line("M0 0") + look.mark(0, 0))
                 for look in looks[:7]}
        self.assertEqual(len(drawn), 7)
        self.assertEqual(len({look.line("M0 0") + look.mark(0, 0) for look in looks}), 20)
        self.assertNotEqual(looks[0].line("M0 0"), looks[8].line("M0 0"))

    def test_each_plot_of_lines_has_its_legend(self):
        page = written(self.document)[2]
        for figure in re.findall("<figure>.*?</figure>", page):
            lines = len(re.findall("<g><title>[^<]*</title><path class=.line", figure))
            legend = re.search('<ul class="legend">(.*?)</ul>', figure)
            self.assertEqual(lines, legend.group(1).count("<li>") if legend else 0)

    def test_figures_of_a_single_number_of_flows_are_drawn(self):
        part = dict(self.document,
                    scenarios=[s for s in self.document["scenarios"] if s["name"] == "crr-2"],
                    samples=[s for s in self.document["samples"] if s["scenario"] == "crr-2"])
        page = written(part)[2]
        figure = re.search("<h3>[^<]*: per second, M=2</h3>.*?</figure>", page).group()
        self.assertEqual(figure.count("<rect"), 3)

    def test_interrupted_run_says_so(self):
        self.document["complete"] = False
        for count in (0, 1, 5):
            part = dict(self.document, samples=self.document["samples"][:count])
            result, markdown, page = written(part)
            self.assertFalse(result["complete"])
            self.assertIn("INCOMPLETE", markdown)
            self.assertIn("Medians of at most 5 samples", markdown)
            self.assertIn("INCOMPLETE", page)

    def test_lost_sample_is_told_with_its_reason(self):
        self.document["samples"][0] = dict(self.document["samples"][0], result=None,
                                           why="cut at its limit: <nothing> within 9 s")
        _, markdown, page = written(self.document)
        self.assertIn("cut at its limit: <nothing> within 9 s", markdown)
        self.assertIn("cut at its limit: &lt;nothing&gt; within 9 s", page)

    def test_what_an_open_loop_missed_and_was_late_with_is_told(self):
        document = recorded.turned_into(self.document, "crr-2", "open", {
            "missed": 7, "lateness_us": {"p50": 1.0, "p99": 4321.0}})
        result, markdown, page = written(document)
        self.assertRegex(markdown, r"M=2 never begun \| 7 \[7–7\]")
        self.assertRegex(markdown, r"M=2 p99 begun late by µs \| 4321 ")
        self.assertIn("4321", page)
        row = next(r for r in result["systems"]["netns"]["concurrent"] if r["mode"] == "open")
        self.assertEqual((row["missed"], row["lateness_us_p99"]), (7, 4321))

    def test_streams_beside_transactions_are_told(self):
        document = recorded.turned_into(self.document, "crr-2", "mixed", {
            "up": {"mbps": 1234.0}, "down": {"mbps": 567.0}})
        result, markdown, _ = written(document)
        self.assertRegex(markdown, r"M=2 Mbit/s up beside it \| 1234 ")
        self.assertRegex(markdown, r"M=2 Mbit/s down beside it \| 567 ")
        row = next(r for r in result["systems"]["netns"]["concurrent"] if r["mode"] == "mixed")
        self.assertEqual((row["up_mbps"], row["down_mbps"]), (1234, 567))

    def test_every_counter_of_a_sample_is_told(self):
        for sample in self.document["samples"]:
            if sample["system"] == "netns":
                sample["counts"] = {"system calls": 12, "page faults": 34.5}
        _, markdown, page = written(self.document)
        self.assertRegex(markdown, r"\| *\| system calls \| page faults \|")
        self.assertIn("| netns crr-1 | 12 | 34.5 |", markdown)
        self.assertIn("page faults", page)

    def test_counts_of_what_streams_did_are_no_transactions(self):
        document = recorded.turned_into(self.document, "crr-2", "mixed", {})
        for sample in document["samples"]:
            sample["counts"] = {"system calls": 12}
        markdown = written(document)[1]
        self.assertIn("| netns crr-1 | 12 |", markdown)
        self.assertNotIn("| netns mixed-2 | 12 |", markdown)
        self.assertNotIn("| netns up-1 | 12 |", markdown)

    def test_samples_with_errors_in_which_something_was_done_are_marked(self):
        hurt = next(s for s in self.document["samples"]
                    if (s["system"], s["scenario"]) == ("netns", "up-1"))
        hurt["result"] |= {"done": 0, "errors": 1, "errors_by_kind": {"timeout": 1, "reset": 0}}
        result, markdown, page = written(self.document)
        marked = [line for line in markdown.split("\n")
                  if line.startswith("| M=") and "†" in line]
        self.assertEqual([line[:14] for line in marked], ["| M=1 Mbit/s |"])
        self.assertEqual(marked[0].count("†"), 1)
        for text in (markdown, page):
            self.assertIn("netns up-1: errors in 1 of 5 samples (1 timeout)", text)
            self.assertIn("Figures marked †", text)
        row = next(r for r in result["systems"]["netns"]["concurrent"] if r["mode"] == "up")
        self.assertEqual((row["samples"], row["samples_with_errors"]), (5, 1))

    def test_errors_of_streams_beside_transactions_are_marked(self):
        document = recorded.turned_into(self.document, "crr-2", "mixed", {
            "up": {"mbps": 1.0, "errors": 1, "errors_by_kind": {"reset": 1}}})
        self.assertIn("netns mixed-2: errors in 5 of 5 samples (5 reset)", written(document)[1])

    def test_skipped_system_is_told(self):
        self.document["skipped"] = {"pasta": "pasta is not installed"}
        _, markdown, page = written(self.document)
        self.assertIn("skipped: pasta is not installed", markdown)
        self.assertIn("skipped: pasta is not installed", page)


if __name__ == "__main__":
    unittest.main()
