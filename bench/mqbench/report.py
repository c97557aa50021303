# SPDX-License-Identifier: BSD-3-Clause
"""Writes all forms of a report: result.json, report.md, report.html."""
import json
import os

from . import report_html, report_md, result
from .samples import Table, write_atomically


def write(document, output):
    """The reports of document (see samples.py) into the folder output."""
    table = Table(document)
    for name, text in (
            ("result.json", json.dumps(result.summary(table), indent=1) + "\n"),
            ("report.md", report_md.text(table)),
            ("report.html", report_html.text(table))):
        write_atomically(os.path.join(output, name), text)
