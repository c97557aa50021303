# SPDX-License-Identifier: BSD-3-Clause
"""The document of all samples, samples.json: the one source of every report.

{"format": 1, "complete": bool, "machine": {...}, "settings": {...},
 "systems": {NAME: {"title", "version"}}, "skipped": {NAME: WHY},
 "remarks": [SENTENCE], "scenarios": [{"name", "mode", "flows"}],
 "samples": [{"system", "scenario", "round", "why", "counts", "result"}]}

A result is mqload's; why tells why there is none.
"""
import gzip
import json
import os
import re
import zlib

from . import metrics

FORMAT = 1


def _is_result(result):
    """Does it have what every report of mqload has?"""
    numbers = [result[name] for name in ("done", "bytes", "errors", "rate", "mbps")]
    numbers += [number for pair in result["histogram_us"] for number in pair]
    numbers += [result["latency_us"][name] for name in ("p50", "p99")]
    return all(isinstance(number, (int, float)) for number in numbers)


def _is_sample(sample, systems, scenarios):
    """Of a known system and scenario, with a result or the reason for none?"""
    return (sample["system"] in systems and sample["scenario"] in scenarios and
            isinstance(sample["round"], int) and isinstance(sample["counts"], dict) and
            (_is_result(sample["result"]) if sample["result"] is not None
             else isinstance(sample["why"], str)))


def _check(document):
    """A KeyError or the like where it is no whole document."""
    scenarios = {scenario["name"]: (scenario["mode"], scenario["flows"])
                 for scenario in document["scenarios"]}
    for name in document["systems"]:
        _ = document["systems"][name]["title"], document["systems"][name]["kind"]
    for part in ("machine", "settings", "skipped"):
        document[part].items()
    _ = document["settings"]["rounds"]
    whole = document["format"] == FORMAT and isinstance(document["complete"], bool)
    if not whole or not all(
            _is_sample(sample, document["systems"], scenarios)
            for sample in document["samples"]):
        raise ValueError


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
    """A document by its path, or that of its folder; .gz is unpacked."""
    if os.path.isdir(path):
        path = os.path.join(path, "samples.json")
    unpack = gzip.open if path.endswith(".gz") else open
    try:
        with unpack(path, "rt", encoding="utf-8") as file:
            document = json.load(file)
        _check(document)
    except (FileNotFoundError, PermissionError) as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError, zlib.error):
        raise ValueError(f"{path} is no samples.json of this mqvmm bench; name the "
                         "file, or the folder, that mqvmm bench --output made") from None
    return document


def split(document, label):
    """The samples of the systems NAME@label and NAME@label/QUEUES alone, without
    the label."""
    labelled = re.compile(f"@{re.escape(label)}(?=/|$)")
    names = {name: labelled.sub("", name) for name in document["systems"]
             if labelled.search(name)}
    return dict(document,
                systems={names[name]: document["systems"][name] for name in names},
                samples=[dict(sample, system=names[sample["system"]])
                         for sample in document["samples"] if sample["system"] in names])


def errors(result):
    """Operations that failed, by kind; also in the parts of mixed and ramp."""
    found = {}
    for part in (result, *(result.get(name) or {} for name in ("up", "down", "use"))):
        kinds = part.get("errors_by_kind") or {"other": part.get("errors", 0)}
        for kind, count in kinds.items():
            if count:
                found[kind] = found.get(kind, 0) + count
    return found


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
            result = sample["result"]
            if result["errors"] and not result["done"] and not result.get("bytes"):
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

    def values(self, system, scenario, path):
        """A figure (see metrics.py): one value for each sample that has it."""
        found = (metrics.read(result, path) for result in self.results(system, scenario))
        return [value for value in found if value is not None]

    def troubled(self, system, scenario):
        """Samples that ended with errors, but in which something was done."""
        return [result for result in self.results(system, scenario) if errors(result)]

    def errors(self, system):
        return sum(sum(errors(row).values()) for (name, _), rows in self._results.items()
                   if name == system for row in rows)
