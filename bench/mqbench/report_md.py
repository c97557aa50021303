# SPDX-License-Identifier: BSD-3-Clause
"""report.md: the tables, for a repository or a mail."""
from . import tables


def _grid(grid):
    lines = [f"## {grid.title}", "",
             "| " + " | ".join(grid.head) + " |",
             "|" + " --- |" * len(grid.head)]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
                    for row in grid.rows] + [""]


def text(table):
    """The report as Markdown."""
    lines = ["# mqvmm bench", ""]
    for remark in tables.remarks(table):
        lines += [remark, ""]
    lines += _grid(tables.systems(table))
    lost = tables.failures(table)
    if lost:
        lines += ["Samples lost:", ""] + [f"- {line}" for line in lost] + [""]
    for grid in tables.measured(table):
        lines += _grid(grid)
    grid = tables.counts(table)
    if grid:
        lines += _grid(grid)
    return "\n".join(lines)
