# SPDX-License-Identifier: BSD-3-Clause
"""Samples that mqvmm bench recorded, and changes of them."""
import copy
import pathlib

from mqbench import samples

PATH = pathlib.Path(__file__).parent / "recorded.json"


def document():
    return samples.load(str(PATH))


def turned_into(recorded, old, mode, more):
    """A copy in which a scenario is of another mode, with more in its results."""
    changed = copy.deepcopy(recorded)
    for scenario in changed["scenarios"]:
        if scenario["name"] == old:
            scenario["mode"] = mode
            scenario["name"] = new = f"{mode}-{scenario['flows']}"
    for sample in changed["samples"]:
        if sample["scenario"] == old:
            sample["scenario"] = new
            sample["result"] |= copy.deepcopy(more)
    return changed


def faster(recorded, system, factor):
    """A copy in which a system does factor times as much."""
    changed = copy.deepcopy(recorded)
    for sample in changed["samples"]:
        if sample["system"] == system:
            for name in ("rate", "mbps"):
                sample["result"][name] *= factor
            for name in sample["result"]["latency_us"]:
                sample["result"]["latency_us"][name] /= factor
    return changed
