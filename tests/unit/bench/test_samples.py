# SPDX-License-Identifier: BSD-3-Clause
"""samples.json, whole and damaged; which scenarios there are."""
import gzip
import json
import os
import tempfile
import unittest

import recorded
from mqbench import samples, scenarios


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
