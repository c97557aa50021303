# SPDX-License-Identifier: BSD-3-Clause
"""Runs scenarios on systems in interleaved rounds, and keeps every sample.

Systems take turns within a round (ABC), each other round backwards (CBA), so
that what drifts on the machine falls on all of them. Processes of this host
take turns at each scenario; a guest measures all scenarios of a round in one
boot, for a boot costs more than a sample.
"""
import sys
import time

from .process import TooLong

BOOT_S = 15
# A system that was cut so often in a row would take hours, and is left alone.
CUTS = 3


class Progress:
    """Lines on standard error: which scenario of how many, the time left."""

    def __init__(self, total):
        self.total = total
        self.number = 0
        self.began = time.monotonic()
        self.estimate = None

    def left(self):
        if not self.number:
            return self.estimate
        spent = time.monotonic() - self.began
        return spent / self.number * (self.total - self.number)

    def show(self, what):
        left = self.left()
        text = f"scenario {self.number + 1} of {self.total}: {what}"
        if left is not None:
            text += f", {int(left) // 60}:{int(left) % 60:02} left"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def end(self):
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")


class Runner:
    def __init__(self, document, systems, scenarios, save):
        self.document = document
        self.host = [system for system in systems if system.kind == "host"]
        self.guests = [system for system in systems if system.kind == "vm"]
        self.scenarios = scenarios
        self.seconds = document["settings"]["seconds"]
        self.rounds = document["settings"]["rounds"]
        self.save = save
        self.cuts = {}
        self.progress = Progress(self.rounds * len(scenarios) * len(systems))
        self.progress.estimate = self.rounds * (
            len(scenarios) * len(systems) * (self.seconds + 1) + BOOT_S * len(self.guests))

    def run(self):
        """All rounds. What is in the document so far is whole at any time."""
        for number in range(self.rounds):
            turn = -1 if number % 2 else 1
            for scenario in self.scenarios:
                for system in self._alive(self.host[::turn], 1):
                    self._show(system, scenario, number)
                    self._host_sample(system, scenario, number)
            for system in self._alive(self.guests[::turn], len(self.scenarios)):
                self._guest_round(system, number)
        self.progress.end()

    def _alive(self, systems, samples):
        """Those that have not been given up; what others miss counts as done."""
        for system in systems:
            if len(self.cuts.get(system.name, ())) < CUTS:
                yield system
            else:
                self.document["skipped"][system.name] = (
                    f"given up, for it was cut at its limit {CUTS} times in a row")
                self.progress.number += samples

    def _show(self, system, scenario, number):
        self.progress.show(f"{scenario.name} {system.name}, "
                           f"round {number + 1} of {self.rounds}")

    def _host_sample(self, system, scenario, number):
        try:
            result, counts = system.sample(scenario, self.seconds)
            self._keep(system, scenario, number, result, counts, None)
        except (TooLong, OSError, ValueError) as error:
            self._keep(system, scenario, number, None, {}, error)

    def _guest_round(self, system, number):
        self._show(system, self.scenarios[0], number)
        following = iter(self.scenarios[1:])

        def taken(scenario, result, counts, why):
            self._keep(system, scenario, number, result, counts, why)
            after = next(following, None)
            if after:
                self._show(system, after, number)

        system.round(self.scenarios, self.seconds, taken)

    def _keep(self, system, scenario, number, result, counts, why):
        cut = isinstance(why, TooLong)
        # All that a boot loses when it is cut is one cut.
        turn = number, scenario.name if system.kind == "host" else "boot"
        self.cuts[system.name] = self.cuts.get(system.name, set()) | {turn} if cut else set()
        if why is not None:
            kind = "cut at its limit" if cut else "failed"
            why = f"{kind}: {why}"
            self.progress.end()
            print(f"{system.name} {scenario.name}: {why}", file=sys.stderr)
        self.document["samples"].append(
            {"system": system.name, "scenario": scenario.name, "round": number,
             "why": why, "counts": counts, "result": result})
        self.progress.number += 1
        self.save()
