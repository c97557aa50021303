# SPDX-License-Identifier: BSD-3-Clause
"""Which plots report.html has: figures against flows, latencies, counts."""
import html
import itertools

from . import metrics, plots, result
from .scenarios import STREAMS, TITLES

# Metric, how a title calls it, its axis, whether that is logarithmic.
TRANSACTION = ((metrics.RATE, "per second", "per second", False),
               (metrics.P50, "median latency", "p50, µs", True),
               (metrics.P99, "99th percentile", "p99, µs", True))
# At a given rate that is no news; that of rx is rr's.
PLOTS = dict.fromkeys(STREAMS, ((metrics.MBPS, "Mbit/s", "Mbit/s", False),)) | dict.fromkeys(
    ("open", "loss", "rx"), TRANSACTION[1:])


def _figure(title, series, svg):
    looks = [(line.name, line.look) for line in series]
    legend = plots.legend(looks) if looks else ""
    return f"<figure><h3>{html.escape(title)}</h3>{legend}{svg}</figure>"


class Figures:
    """The plots of a table; a system looks the same in all of them."""

    def __init__(self, table):
        self.table = table
        self.looks = {name: plots.Look(i) for i, name in enumerate(table.systems)}

    def _title(self, system):
        return self.table.document["systems"][system]["title"]

    def _series(self, names, mode, metric):
        found = []
        for system in names:
            points = []
            for scenario in self.table.scenarios:
                interval = result.interval(self.table, system, scenario["name"], metric)
                if scenario["mode"] == mode and interval:
                    points.append((scenario["flows"], *interval[:3]))
            if points:
                found.append(plots.Series(self._title(system), self.looks[system], points))
        return found

    def _of_mode(self, names, mode):
        figures = []
        for metric, what, label, log in PLOTS.get(mode, TRANSACTION):
            series = self._series(names, mode, metric)
            flows = {point[0] for line in series for point in line.points}
            title = f"{TITLES[mode]}: {what}"
            if len(flows) > 1:
                figures.append(_figure(title, series,
                                       plots.by_flows(title, series, label, log)))
            elif flows:
                title += f", M={flows.pop()}"
                rows = [(line.name, line.points[0][1], line.look) for line in series]
                figures.append(_figure(title, [], plots.bars(title, rows, label)))
        return figures

    def _shares(self, names, scenario):
        """Cumulative latencies, all samples together."""
        found = []
        for system in names:
            merged = {}
            for row in self.table.results(system, scenario):
                for upper, count in row["histogram_us"]:
                    merged[upper] = merged.get(upper, 0) + count
            if merged:
                total, ordered = sum(merged.values()), sorted(merged.items())
                sums = itertools.accumulate(count for _, count in ordered)
                found.append(plots.Series(self._title(system), self.looks[system], [
                    (upper, 100 * sum_ / total) for (upper, _), sum_ in zip(ordered, sums)]))
        return found

    def _distributions(self, names):
        figures = []
        flows = [s["flows"] for s in self.table.scenarios if s["mode"] == "crr"]
        for count in sorted({flows[0], flows[-1]}) if flows else []:
            series = self._shares(names, f"crr-{count}")
            if series:
                title = f"{TITLES['crr']}: latencies with {count} flow{'s'[:count - 1]}"
                figures.append(_figure(title, series, plots.distribution(title, series)))
        return figures

    def of_systems(self, names):
        """All plots of systems that can be compared."""
        modes = dict.fromkeys(s["mode"] for s in self.table.scenarios)
        figures = [figure for mode in modes for figure in self._of_mode(names, mode)]
        return figures + self._distributions(names)

    def counts(self):
        """A plot for each counter: what a connection costs, by system and M."""
        found = {}
        for scenario in self.table.scenarios:
            for system in self.table.systems if scenario["mode"] == "crr" else ():
                counts = result.counts(self.table, system, scenario["name"])
                for counter, value in counts.items():
                    row = (f"{system}, M={scenario['flows']}", value, self.looks[system])
                    found.setdefault(counter, []).append(row)
        return [_figure(f"{counter[:1].upper()}{counter[1:]} per connection", [],
                        plots.bars(counter, rows, "per connection"))
                for counter, rows in found.items() if any(row[1] for row in rows)]
