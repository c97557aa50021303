# SPDX-License-Identifier: BSD-3-Clause
"""Plots as inline SVG: no scripts; colours are classes of the page's style."""
import html
import math
from dataclasses import dataclass, field

from .report_style import LIGHT

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 74, 16, 14, 52
# Lines are told apart without colour, too: with seven marks and eight hues no
# two of the first 56 look the same.
MARKS = ("M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z", "M-4-4H4V4H-4Z", "M0-5.4L5 4H-5Z",
         "M0-6L5 0L0 6L-5 0Z", "M0 5.4L5-4H-5Z", "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
         "M0-6L2-2L6-2L3 1.5L4 6L0 3.5L-4 6L-3 1.5L-6-2L-2-2Z")
DASHES = ("", "9 4", "2 4", "11 4 2 4")


@dataclass(frozen=True)
class Look:
    """How the series of this number looks in each plot of a page."""
    number: int

    @property
    def hue(self):
        return f"c{self.number % len(LIGHT)}"

    def line(self, path):
        again = self.number // len(LIGHT)  # the same hue has other dashes then
        dashes = DASHES[(self.number + again) % len(DASHES)]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        return f'<path class="line {self.hue}"{dashed} d="{path}"/>'

    def mark(self, x, y):
        return (f'<path class="mark {self.hue}" transform="translate({x} {y})" '
                f'd="{MARKS[self.number % len(MARKS)]}"/>')


@dataclass
class Series:
    """A line: points of (x, y, low, high), or (x, y)."""
    name: str
    look: Look
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
        parts.append(_text(LEFT - 7, y(tick) + 5, short(tick), "end"))
    base = HEIGHT - BOTTOM
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    parts += [_text(x(tick), base + 20, short(tick)) for tick in x_ticks]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label))
    middle = (TOP + base) / 2
    parts.append(_text(15, middle, y_label, extra=f'transform="rotate(-90 15 {middle})"'))
    return parts


def _svg(title, parts, height=HEIGHT):
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="{html.escape(title)}">' + "".join(parts) + "</svg>")


def legend(looks):
    """Which line is whose; looks are (name, Look)."""
    return '<ul class="legend">' + "".join(
        '<li><svg viewBox="0 0 34 14" aria-hidden="true">' + look.line("M1 7L33 7") +
        look.mark(17, 7) + f"</svg>{html.escape(name)}</li>" for name, look in looks) + "</ul>"


def _marks(series, x, y, label):
    parts = []
    for at, value, low, high in series.points:
        tip = f"{series.name}, {label(at)}: {short(value)} [{short(low)}–{short(high)}]"
        parts.append(f"<g><title>{html.escape(tip)}</title>"
                     f'<line class="whisker {series.look.hue}" x1="{x(at)}" x2="{x(at)}" '
                     f'y1="{y(low)}" y2="{y(high)}"/>{series.look.mark(x(at), y(value))}</g>')
    return parts


def _line(series, x, y):
    path = " ".join(f"{'L' if i else 'M'}{x(point[0])} {y(point[1])}"
                    for i, point in enumerate(series.points))
    return f"<g><title>{html.escape(series.name)}</title>{series.look.line(path)}</g>"


def by_flows(title, all_series, y_label, logarithmic=False):
    """A figure against the number of flows, with intervals."""
    flows = sorted({point[0] for series in all_series for point in series.points})
    values = [v for series in all_series for point in series.points for v in point[1:] if v > 0]
    x = Scale(flows, LEFT + 30, WIDTH - RIGHT - 30, True)
    y = Scale(values or [1], HEIGHT - BOTTOM, TOP, logarithmic)
    parts = _frame(x, y, flows, "flows M", y_label)
    for i, series in enumerate(all_series):
        # Side by side, so that no interval hides another.
        shift = 6 * (i - (len(all_series) - 1) / 2)

        def beside(at, shift=shift):
            return round(x(at) + shift, 1)

        parts.append(_line(series, beside, y))
        parts += _marks(series, beside, y, lambda at: f"M={at}")
    return _svg(title, parts)


def _at_share(points, share):
    return next((point for point in points if point[1] >= share), points[-1])


def distribution(title, all_series):
    """Cumulative shares of latencies: points of (µs, share); marks at 50, 90, 99 %."""
    values = [point[0] for series in all_series for point in series.points if point[0] > 0]
    x = Scale(values or [1], LEFT, WIDTH - RIGHT, True)
    y = Scale([0, 100 / 1.05], HEIGHT - BOTTOM, TOP, False)
    parts = _frame(x, y, x.ticks(), "latency, µs", "% of transactions")
    parts += [_line(series, x, y) for series in all_series]
    for series in all_series:
        for share in (50, 90, 99):
            at, value = _at_share(series.points, share)
            tip = html.escape(f"{series.name}: {share} % within {short(at)} µs")
            parts.append(f"<g><title>{tip}</title>{series.look.mark(x(at), y(value))}</g>")
    return _svg(title, parts)


def bars(title, rows, unit):
    """rows of (name, value, look), one below the other."""
    height, gap, left = 20, 10, 250
    most = max(value for _, value, _ in rows) or 1
    parts = []
    for i, (name, value, look) in enumerate(rows):
        top = 4 + i * (height + gap)
        width = max(round((WIDTH - left - 80) * value / most, 1), 1)
        parts.append(_text(left - 22, top + 15, name, "end"))
        parts.append(look.mark(left - 10, top + 10))
        parts.append(f'<rect class="{look.hue}" x="{left}" y="{top}" width="{width}" '
                     f'height="{height}" rx="3"><title>{html.escape(name)}: {short(value)} '
                     f'{html.escape(unit)}</title></rect>')
        parts.append(_text(left + width + 7, top + 15, short(value), "start", 'class="value"'))
    return _svg(title, parts, 4 + len(rows) * (height + gap))
