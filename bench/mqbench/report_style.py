# SPDX-License-Identifier: BSD-3-Clause
"""How report.html looks: light and dark, wide and narrow, and on paper."""

# Hues that the colour-blind, too, tell apart on either ground; they differ in
# lightness as well, and plots.py gives each line a mark and dashes of its own.
LIGHT = ("#0072b2", "#d55e00", "#00795c", "#a8387f", "#8a6a00", "#5a6470", "#7a3e12", "#1f9aa0")
DARK = ("#5ab4f0", "#ff8f45", "#35cfa0", "#ee8fcb", "#e8cb55", "#b4bfca", "#cf9c6c", "#62d8dc")

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --panel: #f6f7f9; --ink: #16191d;
  --soft: #525a64; --edge: #d3d8df; --good: #00694f; --bad: #b3261e; LIGHT }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --panel: #1d2126;
  --ink: #e8eaed; --soft: #aab3bd; --edge: #3a4149; --good: #45d6a8; --bad: #ff8a80; DARK } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.8rem, 3vw, 2.5rem) 4rem; max-width: 88rem;
  background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .5rem; }
h3 { font-size: 1rem; line-height: 1.35; margin: 0 0 .4rem; }
p { max-width: 46rem; margin: .5rem 0; }
li { overflow-wrap: anywhere; }
.warn { border-left: 4px solid var(--bad); padding-left: .7rem; font-weight: 600; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); }
figure { margin: 0; padding: .9rem; background: var(--panel); border: 1px solid var(--edge);
  border-radius: 8px; min-width: 0; break-inside: avoid; display: flex;
  flex-direction: column; }
svg { display: block; width: 100%; height: auto; }
.legend + svg { margin-top: auto; }
svg text { fill: var(--soft); font: 16px system-ui, sans-serif; }
svg text.value { fill: var(--ink); }
.grid { stroke: var(--edge); } .axis { stroke: var(--soft); }
.line { fill: none; stroke: var(--hue); stroke-width: 2.2; stroke-linejoin: round; }
.whisker { stroke: var(--hue); stroke-width: 1.5; opacity: .7; }
.mark { fill: var(--hue); stroke: var(--panel); stroke-width: 1.2; }
rect { fill: var(--hue); }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; margin: 0 0 .5rem; padding: 0;
  list-style: none; font-size: .85rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.legend svg { width: 34px; flex: none; }
.scroll { overflow-x: auto; margin: .4rem 0 1.2rem; border: 1px solid var(--edge);
  border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; border-top: 1px solid var(--edge);
  vertical-align: top; }
thead th { border-top: 0; background: var(--panel); vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
td { min-width: 6.5rem; } .dense td { min-width: 3.5rem; }
.words td, .words th { text-align: left; }
th[scope=row] { font-weight: 500; position: sticky; left: 0; background: var(--ground);
  border-right: 1px solid var(--edge); min-width: 7rem; }
thead th:first-child { position: sticky; left: 0; border-right: 1px solid var(--edge); }
small { display: block; color: var(--soft); white-space: nowrap; }
.met { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
@media (max-width: 40rem) { h1 { font-size: 1.4rem; }
  th, td { padding: .35rem .5rem; } figure { padding: .6rem; } }
@media print { .scroll { overflow: visible; } }
"""


def style():
    """The style sheet; class cN sets the hue of series N."""
    text = STYLE
    for name, hues in (("LIGHT", LIGHT), ("DARK", DARK)):
        text = text.replace(name, " ".join(f"--c{i}: {hue};" for i, hue in enumerate(hues)))
    return text + "".join(f".c{i} {{ --hue: var(--c{i}); }}\n" for i in range(len(LIGHT)))
