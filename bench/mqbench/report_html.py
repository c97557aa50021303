# SPDX-License-Identifier: BSD-3-Clause
"""report.html: one file with everything in it, for light and dark, wide and narrow."""
import html
import itertools

from . import metrics, plots, remarks, result, tables
from .scenarios import STREAMS, TITLES

# Eight hues that can be told apart, also by the colour-blind, on either ground.
LIGHT = ("#2a78d6", "#d95f02", "#1b8a5a", "#8e44ad", "#b8860b", "#c2185b", "#00838f", "#5d4037")
DARK = ("#5b9ff0", "#ff9142", "#45c48a", "#c58af0", "#e0b040", "#ff6fa3", "#3fc1cf", "#c7a79a")

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --panel: #f6f7f9; --ink: #16191d;
  --soft: #5a626c; --edge: #d9dde3; LIGHT }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --panel: #1d2126;
  --ink: #e8eaed; --soft: #a2abb6; --edge: #363c44; DARK } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.8rem, 3vw, 2.5rem) 4rem; max-width: 84rem;
  background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .4rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
p { max-width: 46rem; margin: .5rem 0; }
.warn { border-left: 4px solid var(--c1); padding-left: .7rem; font-weight: 600; }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; padding: .9rem; background: var(--panel); border: 1px solid var(--edge);
  border-radius: 8px; min-width: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 13px system-ui, sans-serif; }
.grid { stroke: var(--edge); } .axis { stroke: var(--soft); }
.line { fill: none; stroke: var(--hue); stroke-width: 2.2; stroke-linejoin: round; }
.whisker { stroke: var(--hue); stroke-width: 1.5; opacity: .6; }
circle { fill: var(--hue); stroke: var(--panel); stroke-width: 1.5; } rect { fill: var(--hue); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: .2rem 0 .9rem; padding: 0;
  list-style: none; }
.legend li::before { content: ""; display: inline-block; width: .8em; height: .8em;
  margin-right: .45em; border-radius: 2px; background: var(--hue); }
.scroll { overflow-x: auto; margin: .4rem 0 1.2rem; border: 1px solid var(--edge);
  border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; border-top: 1px solid var(--edge);
  vertical-align: top; }
thead th { border-top: 0; background: var(--panel); }
th:first-child, td:first-child { text-align: left; }
td { min-width: 8rem; } .words :is(td, th) { text-align: left; }
th[scope=row] { font-weight: 500; white-space: nowrap; position: sticky; left: 0;
  background: var(--ground); }
small { display: block; color: var(--soft); }
@media (max-width: 40rem) { svg text { font-size: 17px; } h1 { font-size: 1.4rem; } }
"""


def _style():
    style = STYLE
    for name, hues in (("LIGHT", LIGHT), ("DARK", DARK)):
        style = style.replace(name, " ".join(f"--c{i}: {hue};" for i, hue in enumerate(hues)))
    return style + "".join(f".c{i} {{ --hue: var(--c{i}); }}\n" for i in range(len(LIGHT)))


def _cell(cell):
    """Figure first, its interval and ratios small below it."""
    if isinstance(cell, str):
        return html.escape(cell)
    notes = "".join(f"<small>{html.escape(note)}</small>"
                    for note in (cell.interval, *cell.notes) if note)
    return f"{html.escape(cell.figure)}{notes}"


def _grid(grid, style="", remark=""):
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in grid.head)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>' +
        "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:]) + "</tr>" for row in grid.rows)
    remark = f"<p>{html.escape(remark)}</p>" if remark else ""
    return (f'<h2>{html.escape(grid.title)}</h2>{remark}<div class="scroll"><table class="{style}">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")


def _list(title, lines):
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h3>{html.escape(title)}</h3><ul>{items}</ul>" if lines else ""


def _figure(title, svg):
    return f"<figure><h3>{html.escape(title)}</h3>{svg}</figure>"


class Page:
    def __init__(self, table):
        self.table = table
        self.colours = {name: i % len(LIGHT) for i, name in enumerate(table.systems)}

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
                found.append(plots.Series(self._title(system), self.colours[system], points))
        return found

    def _legend(self, names):
        return '<ul class="legend">' + "".join(
            f'<li class="c{self.colours[name]}">{html.escape(self._title(name))}</li>'
            for name in names) + "</ul>"

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
                points = [(upper, 100 * sum_ / total)
                          for (upper, _), sum_ in zip(ordered, sums)]
            else:
                points = [(value, share) for metric, share in ((metrics.P50, 50), (metrics.P99, 99))
                          for value in [result.median(self.table, system, scenario, metric)]
                          if value]
            if points:
                found.append(plots.Series(self._title(system), self.colours[system], points))
        return found

    def _plots(self, names):
        figures = []
        for mode in dict.fromkeys(s["mode"] for s in self.table.scenarios):
            if mode in STREAMS:
                wanted = [(metrics.MBPS, "Mbit/s", "Mbit/s", False)]
            else:
                wanted = [(metrics.RATE, "per second", "per second", False),
                          (metrics.P50, "median latency", "p50, µs", True),
                          (metrics.P99, "99th percentile", "p99, µs", True)]
            for metric, what, label, log in wanted:
                series = self._series(names, mode, metric)
                if series and len({p[0] for line in series for p in line.points}) > 1:
                    title = f"{TITLES[mode]}: {what}"
                    figures.append(_figure(title, plots.by_flows(title, series, label, log)))
        return figures + self._distributions(names)

    def _distributions(self, names):
        figures = []
        flows = [s["flows"] for s in self.table.scenarios if s["mode"] == "crr"]
        for count in sorted({flows[0], flows[-1]}) if flows else []:
            series = self._shares(names, f"crr-{count}")
            if series:
                title = f"{TITLES['crr']}: latencies with {count} flow{'s'[:count - 1]}"
                figures.append(_figure(title, plots.distribution(title, series)))
        return figures

    def _counts(self):
        figures = []
        for scenario in self.table.scenarios:
            if scenario["mode"] != "crr":
                continue
            rows = [(f"{system}: {name}", value, self.colours[system])
                    for system in self.table.systems
                    for name, value in result.counts(
                        self.table, system, scenario["name"]).items()]
            if rows:
                title = f"Counts per connection, M={scenario['flows']}"
                figures.append(_figure(title, plots.bars(title, rows, "per transaction")))
        return figures

    def text(self):
        table, parts = self.table, ["<h1>mqvmm bench</h1>"]
        for warning in remarks.warnings(table):
            parts.append(f'<p class="warn">{html.escape(warning)}</p>')
        parts += [f"<p>{html.escape(remark)}</p>" for remark in remarks.remarks(table)]
        grid = tables.verdicts(table)
        if grid:
            parts.append(_grid(grid, "words", remarks.verdicts(table)))
        for names in tables.groups(table):
            guests = table.document["systems"][names[0]]["kind"] == "vm"
            parts.append(f"<h2>{'Guests' if guests else 'Processes of this host'}</h2>")
            parts.append(self._legend(names))
            parts.append('<div class="plots">' + "".join(self._plots(names)) + "</div>")
        figures = self._counts()
        if figures:
            parts.append('<h2>Counts</h2><div class="plots">' + "".join(figures) + "</div>")
        parts.append(_grid(tables.systems(table), "words"))
        parts.append(_list("Samples lost", remarks.failures(table)))
        parts.append(_list(f"{remarks.MARK} Samples with errors", remarks.troubles(table)))
        parts += [_grid(grid) for grid in tables.measured(table)]
        grid = tables.counts(table)
        return parts + ([_grid(grid)] if grid else [])


def text(table):
    """The report as one HTML file."""
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>mqvmm bench</title><style>{_style()}</style></head><body>"
            + "\n".join(Page(table).text()) + "</body></html>\n")
