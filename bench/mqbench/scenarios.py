# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: each scenario is one run of mqload against one server."""
import os
from dataclasses import dataclass

TITLES = {
    "crr": "TCP connect, request, response, close",
    "rr": "TCP request, response",
    "rx": "TCP answer, server to client alone",
    "up": "TCP stream, client to server",
    "bulk": "TCP stream, client to server, 4 KiB receive buffer",
    "down": "TCP stream, server to client",
    "udp": "UDP request, response",
    "dnsq": "DNS queries",
    "loss": "UDP, 10,000 echoes asked for per second",
    "icmp": "ICMP echo",
    "open": "TCP connect, request, response, close, 200 begun per second",
    "mixed": "TCP connect, request, response, close, beside a stream each way",
    "ramp": "TCP connect, up to 2000 that are held idle",
}
# Of which the result is payload per second; others are transactions.
STREAMS = ("up", "bulk", "down")
# How mqload calls those that it does not call so, and what else it is told. At
# a rate latency counts from the time that each was to begin.
LOADS = {
    "bulk": ["up"],
    "loss": ["udpstream", "--rate", "10000"],
    "icmp": ["ping"],
    "open": ["crr", "--rate", "200"],
    "ramp": ["ramp", "--count", "2000", "--hold", "0.2"],
}
PING_RANGE = "/proc/sys/net/ipv4/ping_group_range"
# Transactions of each flow before a sample, which are not counted.
WARM_UP = 50


@dataclass(frozen=True)
class Scenario:
    """One row of the tables: mode of mqload and number of flows."""
    mode: str
    flows: int

    @property
    def name(self):
        return f"{self.mode}-{self.flows}"

    @property
    def stream(self):
        return self.mode in STREAMS

    @property
    def server(self):
        """How mqload serves this one."""
        if self.mode == "bulk":
            return ["server", "--receive-buffer", "4096"]
        return ["dns"] if self.mode == "dnsq" else ["server"]

    @property
    def load(self):
        """mqload's mode, and what else belongs to it."""
        return LOADS.get(self.mode, [self.mode])

    def _to(self, target):
        return ["--to", target.rpartition(":")[0] if self.mode == "icmp" else target,
                "--flows", str(self.flows)]

    def warm_up(self, target):
        """What mqload does before the sample: the same, but a few times."""
        mode = self.load[0] if self.mode in ("udp", "dnsq", "icmp") else "crr"
        return [mode, *self._to(target), "--count", str(WARM_UP * self.flows)]

    def arguments(self, target, seconds):
        """mqload's, after its name."""
        length = [] if self.mode == "ramp" else ["--seconds", f"{seconds:g}"]
        return [*self.load, *self._to(target), *length, "--json"]


def may_ping():
    """Does this host let programs of our group ping, and so the NATs?"""
    with open(PING_RANGE, encoding="ascii") as file:
        low, high = map(int, file.read().split())
    return low <= os.getegid() <= high


def wanted(flows, quick):
    """How many flows each mode is measured with unless it is said."""
    ends = sorted({flows[0], flows[-1]})
    modes = {"crr": flows, "rr": ends if quick else flows, "up": ends, "down": ends}
    if not quick:
        modes |= {"rx": flows[:1], "bulk": ends, "udp": flows, "loss": flows[:1], "dnsq": ends,
                  "icmp": flows[:1], "open": flows[-1:], "mixed": ends, "ramp": flows[-1:]}
    return modes


def choose(flows, quick, modes, names=None):
    """The scenarios, without those that this mqload does not know (modes), or
    those of the names alone, with all flows."""
    chosen = {name: flows for name in names} if names else wanted(flows, quick)
    return [Scenario(mode, m) for mode, counts in chosen.items()
            for m in counts if Scenario(mode, m).load[0] in modes]
