# SPDX-License-Identifier: BSD-3-Clause
"""Counts of a guest where this host's KVM runs none at native speed: in the nested
rig, an emulated machine with KVM. Times are worth nothing there, and not told."""
import json
import os
import shutil

from . import counters
from .process import Child, TooLong

FLOWS = (1, 8)
FEWER, MORE = 200, 700  # connections of the two guests that are compared
LIMIT_S = 600


def missing(tools):
    """Why there can be no rig; None where there can."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    for name in ("stock", "stock-vmlinuz", "stock-initramfs.gz"):
        if not os.path.exists(os.path.join(tools.images, name)):
            return (f"no {name} in {tools.images}: make it with "
                    "bench/guest/build-images.sh, name it with --images")
    return None


def count(tools):
    """{SCENARIO: counts per transaction}; an OSError where it fails."""
    script = os.path.join(tools.work, "rig-script")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"fewer={FEWER} more={MORE}\nexport fewer more\n"
                   f"exec sh /count-rounds.sh {' '.join(map(str, FLOWS))}\n")
    guest = os.path.join(tools.here, "guest")
    files = {tools.mqvmm: "bin/mqvmm", tools.mqload: "bin/mqload",
             os.path.join(guest, "vm.sh"): "bench/guest/vm.sh",
             os.path.join(guest, "count-rounds.sh"): "count-rounds.sh"}
    for name in ("stock-vmlinuz", "stock-initramfs.gz"):
        files[os.path.join(tools.images, name)] = f"images/{name}"
    words = [word for source, place in files.items() for word in ("--file", f"{source}:{place}")]
    with Child(["bash", os.path.join(guest, "rig.sh"), "--script", script, "--stock",
                os.path.join(tools.images, "stock"), "--timeout", str(LIMIT_S),
                *words]) as rig:
        return _listen(rig)


def _listen(rig):
    found, fewer, last = {}, {}, ""
    while len(found) < len(FLOWS):
        try:
            line = rig.line(LIMIT_S)
        except TooLong as error:
            raise OSError(f"the nested rig: {error}") from None
        if line is None:
            raise OSError(f"the nested rig ended early: {rig.complaint() or last or 'nothing said'}")
        last = line
        word, _, rest = line.partition(" ")
        if word == "MQ-COUNTS":
            flows, connections, text = rest.split(" ", 2)
            sums = counters.sums(json.loads(text))
            if int(connections) == FEWER:
                fewer = sums
            else:
                # What one boot has more than another by chance is no count.
                found[f"crr-{flows}"] = {
                    name: max(value, 0) for name, value in
                    counters.difference(fewer, sums, MORE - FEWER).items()}
    return found
