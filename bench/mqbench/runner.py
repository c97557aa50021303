# SPDX-License-Identifier: BSD-3-Clause
"""Runs scenarios on systems in interleaved rounds, and keeps every sample.

Systems take turns within a round (ABC), each other round backwards (CBA), so
that what drifts on the machine falls on all of them. Processes of this host
take turns at each scenario; a guest measures all scenarios of a round in one
boot, for a boot costs more than a sample.
"""
import sys

from .process import TooLong
from .progress import Progress

# A system that was cut so often in a row would take hours, and is left alone.
CUTS = 3


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
        self.progress = Progress(systems, scenarios, self.rounds, self.seconds)

    def run(self):
        """All rounds. What is in the document so far is whole at any time."""
        for number in range(self.rounds):
            turn = -1 if number % 2 else 1
            for scenario in self.scenarios:
                for system in self._alive(self.host[::turn], [scenario]):
                    self._show(system, scenario, number)
                    self._host_sample(system, scenario, number)
            for system in self._alive(self.guests[::turn], self.scenarios):
                self._guest_round(system, number)
        self.progress.clear()

    def _alive(self, systems, scenarios):
        """Those that have not been given up; what others miss counts as done."""
        for system in systems:
            if len(self.cuts.get(system.name, ())) < CUTS:
                yield system
            else:
                self.document["skipped"][system.name] = (
                    f"given up, for it was cut at its limit {CUTS} times in a row")
                for scenario in scenarios:
                    self.progress.end(system, scenario, False)

    def _show(self, system, scenario, number):
        self.progress.begin(f"{scenario.name} {system.name}, "
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
            self.progress.clear()
            print(f"{system.name} {scenario.name}: {why}", file=sys.stderr)
        self.document["samples"].append(
            {"system": system.name, "scenario": scenario.name, "round": number,
             "why": why, "counts": counts, "result": result})
        # Of a boot that ended early, its other scenarios took no time.
        self.progress.end(system, scenario, result is not None or system.kind == "host")
        self.save()
