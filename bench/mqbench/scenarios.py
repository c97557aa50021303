# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: each scenario is one run of mqload against one server."""
from dataclasses import dataclass

TITLES = {
    "crr": "TCP connect, request, response, close",
    "rr": "TCP request, response",
    "up": "TCP stream, guest to host",
    "bulk": "TCP stream, guest to host, 4 KiB receive buffer",
    "down": "TCP stream, host to guest",
    "udp": "UDP request, response",
    "dnsq": "DNS queries",
    "icmp": "ICMP echo",
}
# Of which the result is payload per second; others are transactions.
STREAMS = ("up", "bulk", "down")
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
        """The mode of mqload that serves this one."""
        return "dns" if self.mode == "dnsq" else "server"

    def warm_up(self, target):
        """What mqload does before the sample: the same, but a few times."""
        mode = self.mode if self.mode in ("udp", "dnsq", "icmp") else "crr"
        return [mode, "--to", target, "--flows", str(self.flows),
                "--count", str(WARM_UP * self.flows)]

    def arguments(self, target, seconds):
        """mqload's, after its name."""
        return [self.mode, "--to", target, "--flows", str(self.flows),
                "--seconds", f"{seconds:g}", "--json"]


def choose(flows, quick, modes):
    """The scenarios, without those that this mqload does not know (modes)."""
    ends = sorted({flows[0], flows[-1]})
    wanted = {"crr": flows, "rr": ends if quick else flows, "up": ends, "down": ends}
    if not quick:
        wanted |= {"udp": flows, "dnsq": ends, "icmp": flows[:1]}
    return [Scenario(mode, m) for mode, counts in wanted.items()
            if mode in modes for m in counts]
