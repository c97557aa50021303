# SPDX-License-Identifier: BSD-3-Clause
"""Plots as inline SVG: no scripts; colours are classes of the page's style."""
import html
import math
from dataclasses import dataclass, field

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 42


@dataclass
class Series:
    """A line: points of (x, y, low, high); colour is the index of a class."""
    name: str
    colour: int
    points: list = field(default_factory=list)


def short(value):
    """1200 as 1.2k."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


class Scale:
    """From values to places, linear or by logarithm, with round ticks."""

    def __init__(self, values, start, end, logarithmic):
        self.start, self.end, self.log = start, end, logarithmic
        low, high = min(values), max(values)
        if logarithmic:
            self.low, self.high = low / 1.15, high * 1.15
        else:
            self.low, self.high = 0, high * 1.05 or 1

    def __call__(self, value):
        if self.log:
            part = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self):
        if not self.log:
            step = 10 ** math.floor(math.log10(self.high / 2))
            step *= next(m for m in (1, 2, 5, 10) if self.high / (m * step) <= 6)
            return [i * step for i in range(int(self.high / step) + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            marks = [m * 10.0 ** d for d in decades for m in steps]
            marks = [mark for mark in marks if self.low <= mark <= self.high]
            if len(marks) <= 6:
                break
        return marks


def _text(x, y, text, where="middle", extra=""):
    return f'<text x="{x}" y="{y}" text-anchor="{where}" {extra}>{html.escape(text)}</text>'


def _frame(x, y, x_ticks, x_label, y_label):
    parts = []
    for tick in y.ticks():
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                     f'y1="{y(tick)}" y2="{y(tick)}"/>')
        parts.append(_text(LEFT - 7, y(tick) + 4, short(tick), "end"))
    base = HEIGHT - BOTTOM
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    parts += [_text(x(tick), base + 17, short(tick)) for tick in x_ticks]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, x_label))
    middle = (TOP + base) / 2
    parts.append(_text(14, middle, y_label, extra=f'transform="rotate(-90 14 {middle})"'))
    return parts


def _svg(title, parts):
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{html.escape(title)}">' + "".join(parts) + "</svg>")


def _marks(series, x, y, label):
    parts = []
    for at, value, low, high in series.points:
        tip = f"{series.name}, {label(at)}: {short(value)} [{short(low)}–{short(high)}]"
        parts.append(f'<g class="c{series.colour}"><title>{html.escape(tip)}</title>'
                     f'<line class="whisker" x1="{x(at)}" x2="{x(at)}" '
                     f'y1="{y(low)}" y2="{y(high)}"/>'
                     f'<circle cx="{x(at)}" cy="{y(value)}" r="4"/></g>')
    return parts


def _line(series, x, y):
    path = " ".join(f"{'L' if i else 'M'}{x(point[0])} {y(point[1])}"
                    for i, point in enumerate(series.points))
    return (f'<path class="line c{series.colour}" d="{path}">'
            f"<title>{html.escape(series.name)}</title></path>")


def by_flows(title, all_series, y_label, logarithmic=False):
    """A figure against the number of flows, with intervals."""
    flows = sorted({point[0] for series in all_series for point in series.points})
    values = [v for series in all_series for point in series.points for v in point[1:] if v > 0]
    x = Scale(flows, LEFT + 12, WIDTH - RIGHT - 12, True)
    y = Scale(values or [1], HEIGHT - BOTTOM, TOP, logarithmic)
    parts = _frame(x, y, flows, "flows M", y_label)
    for i, series in enumerate(all_series):
        # Side by side, so that no interval hides another.
        shift = 5 * (i - (len(all_series) - 1) / 2)

        def beside(at, shift=shift):
            return round(x(at) + shift, 1)

        parts.append(_line(series, beside, y))
        parts += _marks(series, beside, y, lambda at: f"M={at}")
    return _svg(title, parts)


def distribution(title, all_series):
    """Cumulative shares of latencies: points of (µs, share)."""
    values = [point[0] for series in all_series for point in series.points if point[0] > 0]
    x = Scale(values or [1], LEFT, WIDTH - RIGHT, True)
    y = Scale([0, 100 / 1.05], HEIGHT - BOTTOM, TOP, False)
    parts = _frame(x, y, x.ticks(), "latency, µs", "% of transactions")
    parts += [_line(series, x, y) for series in all_series]
    return _svg(title, parts)


def bars(title, rows, label):
    """rows of (name, value, colour), one below the other."""
    height, gap = 20, 8
    left = 18 + 9 * max(len(name) for name, _, _ in rows)
    most = max(value for _, value, _ in rows) or 1
    parts = []
    for i, (name, value, colour) in enumerate(rows):
        top = 4 + i * (height + gap)
        width = max(round((WIDTH - left - 60) * value / most, 1), 1)
        parts.append(_text(left - 8, top + 14, name, "end"))
        parts.append(f'<rect class="c{colour}" x="{left}" y="{top}" width="{width}" '
                     f'height="{height}" rx="3"><title>{html.escape(name)}: {value:.3g} '
                     f'{html.escape(label)}</title></rect>')
        parts.append(_text(left + width + 7, top + 14, f"{value:.3g}", "start"))
    total = 4 + len(rows) * (height + gap)
    return (f'<svg viewBox="0 0 {WIDTH} {total}" role="img" aria-label="{html.escape(title)}">'
            + "".join(parts) + "</svg>")
