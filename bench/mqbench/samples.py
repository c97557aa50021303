# SPDX-License-Identifier: BSD-3-Clause
"""The document of all samples, samples.json: the one source of every report.

{"format": 1, "complete": bool, "machine": {...}, "settings": {...},
 "systems": {NAME: {"title", "version"}}, "skipped": {NAME: WHY},
 "scenarios": [{"name", "mode", "flows"}],
 "samples": [{"system", "scenario", "round", "why", "counts", "result"}]}

A result is mqload's; why tells why there is none.
"""
import json
import os

FORMAT = 1
PERCENTILES = ("p50", "p90", "p99", "p999", "max")


def normalise(raw):
    """What reports are made of; without what a mode does not have, None."""
    return {name: raw.get(name) for name in (
        "done", "seconds", "rate", "mbps", "errors", "loss", "fairness")} | {
            "latency_us": raw["latency_us"], "histogram_us": raw["histogram_us"]}


def write_atomically(path, text):
    """So that whoever interrupts us finds the old file or the new one."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def save(document, path):
    # One line for each sample: a person can look for one, and diff them.
    rest = {key: value for key, value in document.items() if key != "samples"}
    head = json.dumps(rest, indent=1)[:-2]
    lines = ",\n".join(json.dumps(sample) for sample in document["samples"])
    write_atomically(path, f'{head},\n "samples": [\n{lines}\n]}}\n')


def load(path):
    """A document by its path, or that of its folder."""
    if os.path.isdir(path):
        path = os.path.join(path, "samples.json")
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["format"] != FORMAT:
            raise KeyError("format")
        for sample in document["samples"]:
            if sample["result"] is not None:
                normalise(sample["result"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is no samples.json of this mqvmm bench; name the "
                         "file, or the folder, that mqvmm bench --output made") from None
    return document


def split(document, label):
    """The samples of the systems NAME@label alone, under NAME."""
    end = f"@{label}"
    names = {name: name[:-len(end)] for name in document["systems"] if name.endswith(end)}
    return dict(document,
                systems={names[name]: document["systems"][name] for name in names},
                samples=[dict(sample, system=names[sample["system"]])
                         for sample in document["samples"] if sample["system"] in names])


class Table:
    """The good samples of a document, by system and scenario."""

    def __init__(self, document):
        self.document = document
        self.systems = list(document["systems"])
        self.scenarios = document["scenarios"]
        self._results = {}
        self._counts = {}
        self.failures = []
        for sample in document["samples"]:
            if sample["result"] is None:
                self.failures.append(sample)
                continue
            result = normalise(sample["result"])
            if result["errors"] and not result["done"]:
                self.failures.append(dict(sample, why=f"failed: {result['errors']} errors, "
                                          "nothing was done"))
                continue
            key = sample["system"], sample["scenario"]
            self._results.setdefault(key, []).append(result)
            self._counts.setdefault(key, []).append(sample["counts"])

    def results(self, system, scenario):
        return self._results.get((system, scenario), [])

    def counts(self, system, scenario):
        """Counts per transaction, each as a list over samples."""
        merged = {}
        for counts in self._counts.get((system, scenario), []):
            for name, value in counts.items():
                merged.setdefault(name, []).append(value)
        return merged

    def values(self, system, scenario, metric):
        """A figure or a percentile: one value for each sample that has it."""
        rows = self.results(system, scenario)
        if metric in PERCENTILES:
            return [row["latency_us"][metric] for row in rows if metric in row["latency_us"]]
        return [row[metric] for row in rows if row[metric] is not None]

    def errors(self, system):
        return sum(row["errors"] for (name, _), rows in self._results.items()
                   if name == system for row in rows)
