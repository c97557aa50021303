# SPDX-License-Identifier: BSD-3-Clause
"""Reports of recorded samples, whole and in part."""
import gzip
import html.parser
import json
import os
import re
import tempfile
import unittest

import recorded
from mqbench import plots, report, samples, scenarios


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
        measured = {s.mode for s in scenarios.choose([1, 2], False, Scenarios.MODES)
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
        marked = [line for line in markdown.split("\n") if line.startswith("| M=") and "†" in line]
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

    def test_damaged_document_is_an_error_wherever_the_damage_is(self):
        def broken(change):
            document = recorded.document()
            change(document)
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(document, file)
                file.flush()
                with self.assertRaisesRegex(ValueError, "no samples.json"):
                    samples.load(file.name)

        for name in recorded.document():
            broken(lambda document, name=name: document.pop(name))
            broken(lambda document, name=name: document.update({name: 7}))
        for name in recorded.document()["samples"][0]:
            if name != "why":  # of a good sample, nobody asks
                broken(lambda document, name=name: document["samples"][0].pop(name))
        broken(lambda document: document["samples"][0]["result"].pop("rate"))
        broken(lambda document: document["samples"][0]["result"].update(rate="much"))
        broken(lambda document: document["samples"][0].update(system="other"))

    def test_builds_side_by_side_are_taken_apart(self):
        document = recorded.document()
        document["systems"] = {"netns@a": {}, "netns@b": {}, "direct": {}}
        for sample in document["samples"]:
            sample["system"] += "@a" if sample["system"] == "netns" else ""
        part = samples.split(document, "a")
        self.assertEqual(list(part["systems"]), ["netns"])
        self.assertEqual({sample["system"] for sample in part["samples"]}, {"netns"})

    def test_builds_with_several_queues_are_taken_apart(self):
        document = recorded.document()
        names = ("netns@a/1", "netns@a/2", "netns@b/1", "netns@ab/1", "direct")
        document |= {"systems": dict.fromkeys(names, {}), "samples": []}
        self.assertEqual(list(samples.split(document, "a")["systems"]), ["netns/1", "netns/2"])

    def test_packed_document_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "samples.json.gz")
            with open(recorded.PATH, "rb") as plain, gzip.open(path, "wb") as packed:
                packed.write(plain.read())
            self.assertEqual(samples.load(path), recorded.document())
            with open(path, "r+b") as packed:
                packed.truncate(500)
            with self.assertRaisesRegex(ValueError, "no samples.json"):
                samples.load(path)

    def test_file_that_is_not_there_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ValueError, "^cannot read .*/samples.json: No such"):
                samples.load(folder)

    def test_figures_that_a_mode_lacks_count_for_nothing(self):
        document = recorded.document()
        table = samples.Table(document)
        scenario = document["scenarios"][0]["name"]
        self.assertEqual(table.values("netns", scenario, "loss"), [])
        self.assertEqual(table.values("netns", scenario, "up.mbps"), [])

    def test_sample_in_which_nothing_was_done_is_lost(self):
        document = recorded.document()
        document["samples"][0]["result"] |= {"done": 0, "bytes": 0, "errors": 2}
        table = samples.Table(document)
        self.assertEqual(len(table.failures), 1)
        self.assertIn("nothing was done", table.failures[0]["why"])


class Scenarios(unittest.TestCase):
    MODES = {"crr", "rr", "udp", "up", "down", "dnsq", "ping", "rx", "udpstream", "mixed", "ramp"}

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
