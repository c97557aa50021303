# SPDX-License-Identifier: BSD-3-Clause
"""The tables that report.md and report.html have in common, as plain text."""
import re
from dataclasses import dataclass

from . import result, stats
from .scenarios import STREAMS, TITLES

OURS = ("netns", "run")


@dataclass
class Grid:
    """A table: rows of cells; the first of each row is its heading."""
    title: str
    head: list
    rows: list


def number(value, digits=3):
    """Few digits, none in vain: 12345, 123, 12.3, 1.23."""
    if value is None:
        return "–"
    if value >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def ours(system):
    return re.split("[@/]", system)[0] in OURS


def groups(table):
    """Systems that can be compared: processes of the host, and guests."""
    kinds = table.document["systems"]
    split = [[name for name in table.systems if kinds[name]["kind"] == kind]
             for kind in ("host", "vm")]
    return [names for names in split if names]


def _best_peer(table, names, scenario, metric, more):
    found = [value for name in names if not ours(name) and name != "direct"
             for value in [result.median(table, name, scenario, metric)] if value]
    return (max if more else min)(found, default=None)


def _ratios(table, names, system, scenario, metric, more):
    mine = result.median(table, system, scenario, metric)
    parts = []
    if metric in ("loss", "fairness"):
        return parts
    direct = result.median(table, "direct", scenario, metric) if "direct" in table.systems else None
    if direct and system != "direct":
        parts.append(f"{number(mine / direct, 2)}× direct")
    peer = _best_peer(table, names, scenario, metric, more)
    if peer and ours(system):
        parts.append(f"{number(mine / peer, 2)}× best peer")
    return parts


def _cell(table, names, system, scenario, metric, more):
    found = result.interval(table, system, scenario, metric)
    if not found:
        return "–"
    middle, low, high, _ = found
    parts = _ratios(table, names, system, scenario, metric, more)
    text = f"{number(middle)} [{number(low)}–{number(high)}]"
    return text + (f" ({', '.join(parts)})" if parts else "")


def _scenario_rows(table, names, scenario):
    name = scenario["name"]
    if scenario["mode"] in STREAMS:
        metrics = [("mbps", "Mbit/s", True)]
    else:
        metrics = [("rate", "per second", True), ("p50", "p50 µs", False),
                   ("p99", "p99 µs", False)]
    if scenario["mode"] == "loss":
        metrics.append(("loss", "share lost", False))
    if scenario["mode"] == "crr" and scenario["flows"] > 1:
        metrics.append(("fairness", "Jain's index", True))
    flows = f"M={scenario['flows']}"
    return [[f"{flows} {label}"] + [_cell(table, names, system, name, metric, more)
                                    for system in names] for metric, label, more in metrics]


def measured(table):
    """A grid for each mode and group of systems."""
    grids = []
    for names in groups(table):
        where = "from a guest" if table.document["systems"][names[0]]["kind"] == "vm" \
            else "from a process of this host"
        titles = [table.document["systems"][name]["title"] for name in names]
        for mode in dict.fromkeys(s["mode"] for s in table.scenarios):
            rows = [row for scenario in table.scenarios if scenario["mode"] == mode
                    for row in _scenario_rows(table, names, scenario)]
            if any(set(row[1:]) != {"–"} for row in rows):
                grids.append(Grid(f"{TITLES[mode]}, {where}", [""] + titles, rows))
    return grids


def counts(table):
    """Counts per transaction, where a system has counters; None where none has."""
    found = [(system, scenario, result.counts(table, system, scenario["name"]))
             for system in table.systems for scenario in table.scenarios
             if scenario["mode"] not in STREAMS]
    found = [entry for entry in found if entry[2]]
    names = list(dict.fromkeys(name for entry in found for name in entry[2]))
    if not found:
        return None
    rows = [[f"{system} {scenario['name']}"] + [number(values.get(name)) for name in names]
            for system, scenario, values in found]
    return Grid("Counts per transaction", [""] + names, rows)


def systems(table):
    """What was measured and how it went."""
    document = table.document
    failed = {}
    for sample in table.failures:
        failed.setdefault(sample["system"], []).append(sample)
    rows = [[entry["title"], entry["version"] or "–", str(table.errors(name)),
             str(len(failed.get(name, [])))] for name, entry in document["systems"].items()]
    rows += [[name, f"skipped: {why}", "–", "–"] for name, why in document["skipped"].items()]
    return Grid("Systems", ["", "version", "errors", "samples lost"], rows)


def failures(table):
    """A line for each sample that was lost, the same told once."""
    told = {}
    for sample in table.failures:
        line = f"{sample['system']} {sample['scenario']}: {sample['why']}"
        told[line] = told.get(line, 0) + 1
    return [line + (f" ({count} times)" if count > 1 else "") for line, count in told.items()]


def remarks(table):
    """What a reader has to know before the figures."""
    document = table.document
    machine, settings = document["machine"], document["settings"]
    lines = []
    if not document["complete"]:
        lines.append("INCOMPLETE: the run was interrupted; what had been measured is below.")
    rounds = settings["rounds"]
    coverage = stats.median_interval(list(range(rounds)))[3]
    lines.append(
        f"Medians of {rounds} samples of {settings['seconds']:g} s each, in rounds that "
        f"interleave the systems (ABC, CBA), each with a server of its own and after a "
        f"warm-up that is dropped. " + (
            f"Beside each an interval of order statistics that holds the true median with "
            f"{100 * coverage:.0f} % confidence." if rounds > 1 else
            "A single sample says nothing of its noise."))
    lines.append(
        f"Machine: {machine['processor']}, {machine['cpus']} CPUs, {machine['memory_mib']} MiB, "
        f"Linux {machine['kernel']}; load {machine['load_average']:.1f} before the run; "
        f"mqvmm bench of commit {machine['commit'] or 'unknown'}.")
    if any(entry["kind"] == "vm" for entry in document["systems"].values()):
        lines.append(f"Guests: {machine['guest_cpus']} vCPUs, {machine['guest_memory_mib']} MiB, "
                     f"one image for all of them.")
        if machine["guest"] == "cpl3":
            lines.append(
                "This host's KVM runs no unmodified kernel at native speed: all guests run the "
                "cpl3 kernel, on which a VM exit or interrupt costs what it costs here. They "
                "can be compared with each other, and with nothing else.")
    if machine["load_average"] > machine["cpus"] / 2:
        lines.append("The machine was busy when the run began: do not trust the times.")
    return lines
