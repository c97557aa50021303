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
            "shift": shift, "low": low, "high": high, "coverage": coverage,
            "p": stats.mann_whitney(x, y),
            "counts": (len(x), len(y))}


def _percent(row, key):
    return f"{100 * row[key] / row['a']:+.1f} %" if row["a"] else "-"


def _line(row):
    verdict = "better" if row["better"] else "worse" if row["differs"] else "noise"
    return (f"| {row['system']} | {row['scenario']} | {row['metric'].label} | "
            f"{row['a']:.6g} | {row['b']:.6g} | {_percent(row, 'shift')} | "
            f"{_percent(row, 'low')} to {_percent(row, 'high')} | {row['p']:.3f} | {verdict} |")


def lost(a, b):
    """(system, scenario) that A has samples of, and B lost all of its own of."""
    first, second = samples.Table(a), samples.Table(b)
    gone = dict.fromkeys((sample["system"], sample["scenario"]) for sample in second.failures)
    return [key for key in gone if first.results(*key) and not second.results(*key)]


def _only(a, b):
    """What one of the two has and the other has not."""
    for name, mine, other in (("A", a, b), ("B", b, a)):
        if not mine["complete"]:
            yield f"{name} was interrupted: some of its samples were never taken."
        count = len(samples.Table(mine).failures)
        if count:
            yield f"{name} lost {count} of its {len(mine['samples'])} samples."
        there = {scenario["name"] for scenario in other["scenarios"]}
        alone = [system for system in mine["systems"] if system not in other["systems"]]
        alone += [scenario["name"] for scenario in mine["scenarios"]
                  if scenario["name"] not in there]
        if alone:
            yield f"Only in {name}, and not compared: {', '.join(alone)}."
    for name in ("processor", "cpus", "kernel", "guest", "guest_cpus"):
        if a["machine"].get(name) != b["machine"].get(name):
            yield (f"Not the same machine: {name} is {a['machine'].get(name)} in A, "
                   f"{b['machine'].get(name)} in B.")


def _power(found, number):
    """Whether so many samples can tell anything."""
    least = min(row["counts"] for row in found)
    if stats.smallest_p(*least) > RATE:
        return [f"With {least[0]} and {least[1]} samples no difference can be told "
                "from noise, however large: take --rounds 4 at the least."]
    if not number and stats.smallest_p(*least) > RATE / len(found):
        return ["A single difference among so many figures needs more rounds to be seen."]
    return []


def _table(told):
    if not told:
        return []
    coverage = min(row["coverage"] for row in told)
    return ["| system | scenario | metric | A | B | B against A | "
            f"{100 * coverage:.0f} % interval | p | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *(_line(row) for row in told), ""]


def text(a, b, everything=False):
    """The comparison as Markdown."""
    found, gone = rows(a, b), lost(a, b)
    if not found and not gone:
        raise ValueError("the two have no system and scenario in common that both have "
                         "samples of")
    lines = _table([row for row in found if row["differs"] or everything])
    number = sum(row["differs"] for row in found)
    lines.append(f"{number} of {len(found)} figures differ by more than the noise "
                 "(Mann-Whitney U, at most 5 % of those told by chance; shift by "
                 "Hodges and Lehmann).")
    lines += _power(found, number) if found else []
    lines += [f"Worse: B has nothing of {system} {scenario}, all of its samples were lost."
              for system, scenario in gone]
    return "\n".join([*lines, *_only(a, b)])


def main(arguments):
    """Exit status 0, or 1 when something became worse."""
    parser = argparse.ArgumentParser(
        prog="mqvmm bench compare", allow_abbrev=False,
        description="Tells by how much B's samples differ from A's where that is more "
        "than their noise. Exit status 1 when something is worse, or was lost.")
    parser.add_argument("a", metavar="A", help="samples.json, its folder, or samples.json.gz")
    parser.add_argument("b", metavar="B", help="the same")
    parser.add_argument("--all", action="store_true", help="tell noise, too")
    options = parser.parse_args(arguments)
    a, b = samples.load(options.a), samples.load(options.b)
    print(text(a, b, options.all))
    worse = any(row["differs"] and not row["better"] for row in rows(a, b))
    return int(worse or bool(lost(a, b)))
