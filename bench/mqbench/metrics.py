# SPDX-License-Identifier: BSD-3-Clause
"""Which figures of mqload's report each mode is judged by."""
from dataclasses import dataclass

from .scenarios import STREAMS


@dataclass(frozen=True)
class Metric:
    """A figure: where it is in mqload's JSON, and how a reader calls it."""
    path: str
    label: str
    more: bool             # is better
    compared: bool = True  # as a ratio, and by `mqvmm bench compare`


RATE = Metric("rate", "per second", True)
P50 = Metric("latency_us.p50", "p50 µs", False)
P99 = Metric("latency_us.p99", "p99 µs", False)
MBPS = Metric("mbps", "Mbit/s", True)
FAIRNESS = Metric("fairness", "Jain's index", True, False)
# What a mode has beside its transactions. "missed" were due and never began;
# the others began so late.
LATE = (Metric("lateness_us.p99", "p99 begun late by µs", False, False),
        Metric("missed", "never begun", False, False))
MORE = {
    "loss": (Metric("loss", "share lost", False, False), *LATE),
    "open": LATE,
    "mixed": (Metric("up.mbps", "Mbit/s up beside it", True),
              Metric("down.mbps", "Mbit/s down beside it", True)),
    "ramp": (Metric("use.latency_us.p50", "p50 µs of first use", False),
             Metric("use.latency_us.p99", "p99 µs of first use", False)),
}


def of(mode, flows):
    """The figures of a scenario, the most important one first."""
    if mode in STREAMS:
        return (MBPS,)
    if mode == "rx":
        return (P50, P99)
    fairness = (FAIRNESS,) if mode == "crr" and flows > 1 else ()
    return (RATE, P50, P99, *MORE.get(mode, ()), *fairness)


def read(result, path):
    """A figure by its path; None where this result lacks it."""
    for name in path.split("."):
        result = result.get(name) if isinstance(result, dict) else None
    return result
