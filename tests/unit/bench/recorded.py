# SPDX-License-Identifier: BSD-3-Clause
"""Samples that mqvmm bench recorded, and changes of them."""
import copy
import pathlib

from mqbench import samples

PATH = pathlib.Path(__file__).parent / "recorded.json"
METRICS = {"rate": 1, "mbps": 1, "p50_us": -1, "p90_us": -1, "p99_us": -1, "max_us": -1}


def document():
    return samples.load(str(PATH))


def faster(recorded, system, factor):
    """A copy in which a system does factor times as much."""
    changed = copy.deepcopy(recorded)
    for sample in changed["samples"]:
        if sample["system"] == system:
            for name, sign in METRICS.items():
                sample["result"][name] *= factor ** sign
    return changed
