# SPDX-License-Identifier: BSD-3-Clause
"""What this project wants to reach, and whether a run shows that it does.

A target is met, or is not, only where the whole interval of the ratio lies on
one side of its bound, with 95 % confidence, and no sample of ours was lost or
ended with errors; all else is not decided.
"""
import re
from dataclasses import dataclass

from . import metrics, stats

CONFIDENCE = 0.95
# The peers that a guest's network is measured against.
QEMU = ("qemu-libslirp", "qemu-passt")
BEST = "best of QEMU's"


@dataclass(frozen=True)
class Target:
    """A figure of ours, and a bound for it or for its ratio to another's.

    against is a system; QEMU's best; "one queue" or a scenario of the same
    system; or nothing, for a bound of the figure itself.
    """
    system: str
    scenario: str
    metric: metrics.Metric
    bound: float
    against: str = ""

    @property
    def text(self):
        sign = "≥" if self.metric.more else "≤"
        times = f"× {self.against}" if self.against else ""
        return f"{self.scenario} {self.metric.label} {sign} {self.bound:g}{times}"


def _count(name):
    return metrics.Metric(f"counts.{name}", f"{name} per transaction", False)


TARGETS = (
    Target("netns", "crr-1", metrics.P50, 2, "direct"),
    Target("netns", "crr-8", metrics.RATE, 0.5, "direct"),
    Target("netns", "crr-8", metrics.P99, 2, "direct"),
    Target("netns", "rr-1", metrics.P50, 1.7, "direct"),
    *(Target("netns", f"{mode}-{flows}", metrics.MBPS, 0.45, "direct")
      for mode in ("up", "down") for flows in (1, 4)),
    Target("netns", "crr-8", metrics.RATE, 1.5, "one queue"),
    Target("netns", "crr-8", metrics.RATE, 1, "crr-2"),
    Target("netns", "crr-8", metrics.FAIRNESS, 0.95),
    Target("run", "crr-8", metrics.RATE, 1.5, BEST),
    Target("run", "crr-1", metrics.P50, 0.8, BEST),
    *(Target("run", f"{mode}-{flows}", metrics.MBPS, 1.2, BEST)
      for mode in ("up", "bulk", "down") for flows in (1, 8)),
    Target("run", "crr-1", _count("kicks"), 2),
    Target("run", "crr-1", _count("interrupts"), 4),
)


@dataclass(frozen=True)
class Verdict:
    """What a run says of a target: the figure or ratio, its interval, and why
    nothing is decided."""
    system: str
    target: Target
    measured: float
    low: float
    high: float
    confidence: float
    verdict: str
    why: str = ""


def _variants(table, target):
    """Our systems that a target is about, one of each build (netns@a/2): as many
    queues as CPUs, or two where they are measured against one."""
    queues = 2 if target.against == "one queue" else table.document["machine"]["guest_cpus"]
    for system in table.systems:
        found = re.fullmatch(r"([^@/]+)(@[^/]*)?(/\d+)?", system)
        if found and found[1] == target.system and found[3] in (
                (f"/{queues}",) if target.against == "one queue" else (None, f"/{queues}")):
            yield system


def _values(table, system, scenario, metric):
    if metric.path.startswith("counts."):
        return table.counts(system, scenario).get(metric.path.removeprefix("counts."), [])
    return table.values(system, scenario, metric.path)


def _best(table, target):
    """The samples of QEMU's best network, and those of its networks that lack."""
    found = {name: _values(table, name, target.scenario, target.metric) for name in QEMU}
    medians = [(stats.median_interval(values)[0], name)
               for name, values in found.items() if values]
    if not medians:
        return [], []
    best = (max if target.metric.more else min)(medians)[1]
    return found[best], [name for name, values in found.items() if not values]


def _other(table, system, target):
    """The samples that ours are a multiple of, and why they may be too easy."""
    if target.against == BEST:
        values, lacking = _best(table, target)
        return values, f"{', '.join(lacking)} not measured" if lacking else ""
    if target.against == "one queue":
        return _values(table, re.sub(r"/\d+$", "/1", system), target.scenario,
                       target.metric), ""
    if target.against == "direct":
        return _values(table, "direct", target.scenario, target.metric), ""
    return _values(table, system, target.against, target.metric), ""


def _trouble(table, system, scenario):
    """Why our own figure may look better than it is."""
    lost = sum((sample["system"], sample["scenario"]) == (system, scenario)
               for sample in table.failures)
    hurt = len(table.troubled(system, scenario))
    told = [f"{count} samples {what}" for count, what in (
        (lost, "lost"), (hurt, "with errors")) if count]
    return " and ".join(told)


def _decide(target, low, high, confidence, trouble):
    """The verdict, and why it is none."""
    worst, best = (low, high) if target.metric.more else (-high, -low)
    bound = target.bound if target.metric.more else -target.bound
    if confidence < CONFIDENCE:
        return "not decided", f"too few samples: {100 * confidence:.0f} % confidence"
    if best < bound:
        return "not met", ""
    if worst < bound:
        return "not decided", "the interval holds the bound"
    return ("not decided", trouble) if trouble else ("met", "")


def _judge(table, system, target):
    """A Verdict; None without samples."""
    mine = _values(table, system, target.scenario, target.metric)
    trouble = _trouble(table, system, target.scenario)
    if target.against:
        other, easy = _other(table, system, target)
        found = stats.ratio(mine, other, CONFIDENCE) if mine and other else None
        trouble = trouble or easy
    else:
        found = stats.median_interval(mine, CONFIDENCE)
    if not found:
        return None
    return Verdict(system, target, *found, *_decide(target, *found[1:], trouble))


def verdicts(table):
    """A Verdict for each target that a run has samples for."""
    return [verdict for target in TARGETS for system in _variants(table, target)
            for verdict in [_judge(table, system, target)] if verdict]
