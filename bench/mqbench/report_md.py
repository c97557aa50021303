# SPDX-License-Identifier: BSD-3-Clause
"""report.md: the tables, for a repository or a mail."""
from . import remarks, tables


def _grid(grid, *remarks_on_it):
    lines = [f"## {grid.title}", "", *(f"{remark}\n" for remark in remarks_on_it),
             "| " + " | ".join(grid.head) + " |",
             "|" + " --- |" * len(grid.head)]
    return lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
                    for row in grid.rows] + [""]


def _list(title, lines):
    return [title, ""] + [f"- {line}" for line in lines] + [""] if lines else []


def text(table):
    """The report as Markdown."""
    lines = ["# mqvmm bench", ""]
    for warning in remarks.warnings(table):
        lines += [f"**{warning}**", ""]
    for remark in remarks.remarks(table):
        lines += [remark, ""]
    lines += _grid(tables.systems(table))
    lines += _list("Samples lost:", remarks.failures(table))
    lines += _list(f"{remarks.MARK} Samples with errors:", remarks.troubles(table))
    grid = tables.verdicts(table)
    if grid:
        lines += _grid(grid, remarks.verdicts(table))
    for grid in tables.measured(table):
        lines += _grid(grid)
    grid = tables.counts(table)
    if grid:
        lines += _grid(grid, remarks.counts())
    grid = tables.rig(table)
    if grid:
        lines += _grid(grid, remarks.rig())
    return "\n".join(lines)
