# SPDX-License-Identifier: BSD-3-Clause
"""How far a run is: lines on standard error, and the time that is left."""
import statistics
import sys
import time

# Beside the sample: server, namespace, warm-up; and what a guest's boot takes.
AROUND_S = 1
BOOT_S = 15


class Progress:
    """Which scenario of how many, and the time left by what others took.

    Samples overrun their time by what a system makes of them: a stream that
    its network lets trickle ends when the last of it is through.
    """

    def __init__(self, systems, scenarios, rounds, seconds):
        self.planned, self.left, self.took = {}, {}, {}
        for system in systems:
            for scenario in scenarios:
                boot = system.kind == "vm" and scenario is scenarios[0]
                key = system.name, scenario.name
                self.planned[key] = seconds + AROUND_S + (BOOT_S if boot else 0)
                self.left[key] = rounds
        self.total = len(self.left) * rounds
        self.began = time.monotonic()

    @property
    def number(self):
        return self.total - sum(self.left.values())

    def begin(self, what):
        """A sample begins."""
        self.began = time.monotonic()
        left = int(self.seconds_left())
        text = (f"scenario {self.number + 1} of {self.total}: {what}, "
                f"{left // 60}:{left % 60:02} left")
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def end(self, system, scenario, counts):
        """A sample ended, or never began; counts: the next will take as long."""
        key = system.name, scenario.name
        self.left[key] -= 1
        if counts:
            self.took.setdefault(key, []).append(time.monotonic() - self.began)

    def _overrun(self, name):
        """By how much the samples of a system overran their plan, if it has any."""
        return statistics.median([
            statistics.mean(took) - self.planned[key]
            for key, took in self.took.items() if key[0] == name] or [0])

    def seconds_left(self):
        """By those of the same kind; else by what its system adds to the plan."""
        overruns = {name: self._overrun(name) for name, _ in self.left}
        return sum(count * (statistics.mean(self.took[key]) if key in self.took
                            else max(self.planned[key] + overruns[key[0]], 0))
                   for key, count in self.left.items())

    def clear(self):
        """Makes room for another line."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
