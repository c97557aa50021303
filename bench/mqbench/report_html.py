# SPDX-License-Identifier: BSD-3-Clause
"""report.html: one file with everything in it."""
import html

from . import remarks, tables
from .figures import Figures
from .report_style import style

VERDICTS = {"met": "met", "not met": "missed"}  # and how they look


def _cell(cell):
    """Figure first, its interval and ratios small below it."""
    if isinstance(cell, str):
        look = VERDICTS.get(cell)
        return f'<span class="{look}">{cell}</span>' if look else html.escape(cell)
    notes = "".join(f"<small>{html.escape(note)}</small>"
                    for note in (cell.interval, ", ".join(cell.notes)) if note)
    return f"{html.escape(cell.figure)}{notes}"


def _grid(grid, look="", remark=""):
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in grid.head)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>' +
        "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:]) + "</tr>" for row in grid.rows)
    remark = f"<p>{html.escape(remark)}</p>" if remark else ""
    return (f'<h2>{html.escape(grid.title)}</h2>{remark}<div class="scroll" tabindex="0">'
            f'<table class="{look}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
            "</table></div>")


def _list(title, lines):
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h3>{html.escape(title)}</h3><ul>{items}</ul>" if lines else ""


def _plots(title, figures):
    if not figures:
        return ""
    return f'<h2>{title}</h2><div class="plots">' + "".join(figures) + "</div>"


def _head(table):
    yield "<h1>mqvmm bench</h1>"
    for warning in remarks.warnings(table):
        yield f'<p class="warn">{html.escape(warning)}</p>'
    for remark in remarks.remarks(table):
        yield f"<p>{html.escape(remark)}</p>"
    yield _grid(tables.systems(table), "words")
    yield _list("Samples lost", remarks.failures(table))
    yield _list(f"{remarks.MARK} Samples with errors", remarks.troubles(table))
    grid = tables.verdicts(table)
    if grid:
        yield _grid(grid, "words", remarks.verdicts(table))


def _body(table):
    figures = Figures(table)
    for names in tables.groups(table):
        guests = table.document["systems"][names[0]]["kind"] == "vm"
        yield _plots("Guests" if guests else "Processes of this host",
                     figures.of_systems(names))
    yield _plots("What a connection costs", figures.counts())
    for grid in tables.measured(table):
        yield _grid(grid)
    grid = tables.counts(table)
    if grid:
        yield _grid(grid, "dense", remarks.counts())
    grid = tables.rig(table)
    if grid:
        yield _grid(grid, "dense", remarks.rig())


def text(table):
    """The report as one HTML file."""
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>mqvmm bench</title><style>{style()}</style></head><body>"
            + "\n".join([*_head(table), *_body(table)]) + "</body></html>\n")
