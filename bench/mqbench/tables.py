# SPDX-License-Identifier: BSD-3-Clause
"""The tables that report.md and report.html have in common, as plain text."""
import re
from dataclasses import dataclass, field

from . import metrics, result, targets
from .remarks import MARK
from .scenarios import STREAMS, TITLES

OURS = ("netns", "run")


@dataclass
class Cell:
    """A figure, its interval, and what it is a multiple of."""
    figure: str
    interval: str = ""
    notes: list = field(default_factory=list)

    def __str__(self):
        return (self.figure + (f" [{self.interval}]" if self.interval else "") +
                (f" ({', '.join(self.notes)})" if self.notes else ""))


@dataclass
class Grid:
    """A table: rows of cells or texts; the first of each row is its heading."""
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


def _best_peer(table, names, scenario, metric):
    found = [value for name in names if not ours(name) and name != "direct"
             for value in [result.median(table, name, scenario, metric)] if value]
    return (max if metric.more else min)(found, default=None)


def _ratios(table, names, system, scenario, metric):
    mine = result.median(table, system, scenario, metric)
    notes = []
    if not metric.compared:
        return notes
    # Guests on the cpl3 kernel can be compared with each other only.
    same = "direct" in names or table.document["machine"]["guest"] != "cpl3"
    direct = result.median(table, "direct", scenario, metric) if same else None
    if direct and system != "direct":
        notes.append(f"{number(mine / direct, 2)}× direct")
    peer = _best_peer(table, names, scenario, metric)
    if peer and ours(system):
        notes.append(f"{number(mine / peer, 2)}× best peer")
    return notes


def _cell(table, names, system, scenario, metric):
    found = result.interval(table, system, scenario, metric)
    if not found:
        return Cell("–")
    middle, low, high, _ = found
    mark = f" {MARK}" if table.troubled(system, scenario) else ""
    return Cell(number(middle) + mark, f"{number(low)}–{number(high)}",
                _ratios(table, names, system, scenario, metric))


def _scenario_rows(table, names, scenario):
    flows = f"M={scenario['flows']}"
    rows = [[f"{flows} {metric.label}"] + [_cell(table, names, system, scenario["name"], metric)
                                           for system in names]
            for metric in metrics.of(scenario["mode"], scenario["flows"])]
    return [row for row in rows if any(cell.interval for cell in row[1:])]


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
            if rows:
                grids.append(Grid(f"{TITLES[mode]}, {where}", [""] + titles, rows))
    return grids


def counts(table):
    """Counts per transaction, where a system has counters; None where none has.
    What streams cost, also those beside transactions, is no transaction's."""
    found = [(system, scenario, result.counts(table, system, scenario["name"]))
             for system in table.systems for scenario in table.scenarios
             if scenario["mode"] not in (*STREAMS, "mixed")]
    found = [entry for entry in found if entry[2]]
    names = list(dict.fromkeys(name for entry in found for name in entry[2]))
    if not found:
        return None
    rows = [[f"{system} {scenario['name']}"] + [number(values.get(name)) for name in names]
            for system, scenario, values in found]
    return Grid("Counts per transaction", [""] + names, rows)


def rig(table):
    """Counts of guests in the nested rig; None where that was not needed."""
    found = table.document.get("rig")
    if not found:
        return None
    names = list(dict.fromkeys(name for values in found.values() for name in values))
    return Grid("Counts per transaction of a guest in the nested rig", [""] + names,
                [[scenario] + [number(values.get(name)) for name in names]
                 for scenario, values in found.items()])


def verdicts(table):
    """What the run says of the project's targets; None without samples for any."""
    rows = [[f"{found.system} {found.target.text}",
             Cell(number(found.measured) + ("×" if found.target.against else ""),
                  f"{number(found.low)}–{number(found.high)}"),
             found.verdict + (f": {found.why}" if found.why else "")]
            for found in targets.verdicts(table)]
    return Grid("Targets", ["", "measured", "verdict"], rows) if rows else None


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
