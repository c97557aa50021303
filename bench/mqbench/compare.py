# SPDX-License-Identifier: BSD-3-Clause
"""mqvmm bench compare: which differences are larger than the noise."""
import argparse

from . import metrics, samples, stats

RATE = 0.05  # share of the differences told that may be chance


def rows(a, b):
    """Each metric that both documents have samples of, as a dict."""
    first, second = samples.Table(a), samples.Table(b)
    scenarios = {s["name"]: s for s in b["scenarios"]}
    found = []
    for system in first.systems:
        for scenario in a["scenarios"]:
            if system not in second.systems or scenario["name"] not in scenarios:
                continue
            for metric in metrics.of(scenario["mode"], scenario["flows"]):
                x = first.values(system, scenario["name"], metric.path)
                y = second.values(system, scenario["name"], metric.path)
                if metric.compared and x and y:
                    found.append(_row(system, scenario["name"], metric, x, y))
    for row, believed in zip(found, stats.benjamini_hochberg(
            [row["p"] for row in found], RATE)):
        row["differs"] = believed
        row["better"] = believed and (row["shift"] > 0) == row["metric"].more
    return found


def _row(system, scenario, metric, x, y):
    shift, low, high, coverage = stats.hodges_lehmann(x, y)
    return {"system": system, "scenario": scenario, "metric": metric,
            "a": stats.median_interval(x)[0], "b": stats.median_interval(y)[0],
            "shift": shift, "low": low, "high": high, "coverage": coverage, "p": stats.mann_whitney(x, y),
            "counts": (len(x), len(y))}


def _percent(row, key):
    return f"{100 * row[key] / row['a']:+.1f} %" if row["a"] else "-"


def _line(row):
    verdict = "better" if row["better"] else "worse" if row["differs"] else "noise"
    return (f"| {row['system']} | {row['scenario']} | {row['metric'].label} | "
            f"{row['a']:.6g} | {row['b']:.6g} | {_percent(row, 'shift')} | "
            f"{_percent(row, 'low')} to {_percent(row, 'high')} | {row['p']:.3f} | {verdict} |")


def text(a, b, everything=False):
    """The comparison as Markdown."""
    found = rows(a, b)
    if not found:
        raise ValueError("the two have no system and scenario in common")
    told = [row for row in found if row["differs"] or everything]
    lines = []
    if told:
        coverage = min(row["coverage"] for row in told)
        lines += ["| system | scenario | metric | A | B | B against A | "
                  f"{100 * coverage:.0f} % interval | p | |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
        lines += [_line(row) for row in told] + [""]
    number = sum(row["differs"] for row in found)
    lines.append(f"{number} of {len(found)} figures differ by more than the noise "
                 "(Mann-Whitney U, at most 5 % of those told by chance; shift by "
                 "Hodges and Lehmann).")
    least = min(row["counts"] for row in found)
    if stats.smallest_p(*least) > RATE:
        lines.append(f"With {least[0]} and {least[1]} samples no difference can be told "
                     "from noise, however large: take --rounds 4 at the least.")
    elif not number and stats.smallest_p(*least) > RATE / len(found):
        lines.append("A single difference among so many figures needs more rounds to be seen.")
    for name in ("processor", "cpus", "kernel", "guest", "guest_cpus"):
        if a["machine"].get(name) != b["machine"].get(name):
            lines.append(f"Not the same machine: {name} is {a['machine'].get(name)} in A, "
                         f"{b['machine'].get(name)} in B.")
    return "\n".join(lines)


def main(arguments):
    """Exit status 0, or 1 when something became worse."""
    parser = argparse.ArgumentParser(
        prog="mqvmm bench compare", allow_abbrev=False,
        description="Tells by how much B's samples differ from A's where that is more "
        "than their noise. Exit status 1 when something is worse.")
    parser.add_argument("a", metavar="A", help="samples.json, or its folder")
    parser.add_argument("b", metavar="B", help="the same")
    parser.add_argument("--all", action="store_true", help="tell noise, too")
    options = parser.parse_args(arguments)
    a, b = samples.load(options.a), samples.load(options.b)
    print(text(a, b, options.all))
    return int(any(row["differs"] and not row["better"] for row in rows(a, b)))
