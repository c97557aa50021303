# SPDX-License-Identifier: BSD-3-Clause
"""What a sample costs: all counters read before it and after it."""
from . import allocations, counters, threads


class Meter:
    """ask() has a system's own counters, or None; heap its allocations; sessions
    are its processes'."""

    def __init__(self, ask, heap, sessions):
        self.ask = ask
        self.heap = heap
        self.sessions = sessions
        self.before = self.after = (None, {}, None)

    def begin(self):
        # Allocations last, and first again: to ask for the others takes memory.
        counted, used = self.ask(), threads.read(self.sessions)
        self.before = counted, used, self.heap.read()

    def end(self):
        made = self.heap.read()
        self.after = self.ask(), threads.read(self.sessions), made

    def counts(self, done):
        """Per transaction, what there is."""
        found = {}
        for kind, before, after in zip((counters, threads, allocations),
                                       self.before, self.after):
            found |= kind.difference(before, after, done)
        return found
