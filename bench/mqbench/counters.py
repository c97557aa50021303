# SPDX-License-Identifier: BSD-3-Clause
"""The counters that mqvmm writes with --stats, and what a sample added to them."""
import json
import os
import signal
import time

# What a reader of a report wants per transaction: name, then where it is.
PER_TRANSACTION = {
    "system calls": ("shards", "syscalls"),
    "wake-ups": ("shards", "waits"),
    "kicks": ("shards", "kicks"),
    "interrupts": ("queues", "interrupts"),
    "exits": ("cpus", "exits"),
    "MMIO exits": ("cpus", "mmio_exits"),
    "I/O exits": ("cpus", "io_exits"),
    "halts": ("cpus", "halt_exits"),
    "emulated instructions": ("cpus", "insn_emulation"),
    "hand-offs": ("shards", "handoffs_out"),
}


def read(path):
    """What a file of --stats adds up to."""
    with open(path, encoding="utf-8") as file:
        return sums(json.load(file))


def sums(document):
    """Sums over shards, queues and vCPUs, by (kind, name)."""
    found = {}

    def visit(node):
        for kind, value in node.items():
            if kind in ("shards", "queues", "cpus"):
                for row in value:
                    for name, number in row.items():
                        if isinstance(number, int):
                            found[kind, name] = found.get((kind, name), 0) + number
            elif isinstance(value, dict):
                visit(value)

    visit(document)
    return found


def ask(pid, path, seconds=2):
    """Has the counters written anew by SIGUSR1; None where they do not come."""
    def stamp():
        try:
            status = os.stat(path)
            return status.st_ino, status.st_mtime_ns
        except FileNotFoundError:
            return None

    old, end = stamp(), time.monotonic() + seconds
    os.kill(pid, signal.SIGUSR1)
    while stamp() in (old, None):
        if time.monotonic() > end:
            return None
        time.sleep(0.005)
    return read(path)


def difference(before, after, done):
    """Counts per transaction, of those that this system has."""
    if not before or not after or not done:
        return {}
    return {name: round((after[key] - before.get(key, 0)) / done, 3)
            for name, key in PER_TRANSACTION.items() if key in after}
