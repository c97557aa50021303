# SPDX-License-Identifier: BSD-3-Clause
"""Systems whose client is a process of this host: none, or one in a namespace."""
import json
import os
import shutil
import subprocess

from . import allocations, counters
from .meter import Meter
from .process import Child, Server, first_line, version
from .scenarios import PING_RANGE

# Waits until the network is there, warms up, and waits until counters are read,
# before the sample and after it. In a namespace of its own it may ping.
CLIENT = """[ -z "$3" ] || echo 0 0 2>/dev/null >"$3"
echo ready; read -r go; "$0" $1 >/dev/null 2>&1
echo warm; read -r go; "$0" $2; read -r go"""


class HostSystem:
    """The host itself, `direct`; the others change the pieces that differ."""
    name = "direct"
    title = "host direct"
    kind = "host"
    program = package = None
    namespace = False
    address = "127.0.0.1"

    def __init__(self, tools):
        self.tools = tools

    def missing(self):
        """Why this system cannot be measured here; None where it can."""
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not installed"
        return None

    def version(self):
        return version(self.program, self.package) if self.program else ""

    def wrap(self, argv):
        """argv as it is run behind this system."""
        return argv

    def attach(self, pid):
        """Gives the namespace of pid its network; what to stop, or None."""
        return None

    # Heap allocations, where they are counted.
    heap = allocations.Allocations(None, "")

    def counters(self, child):
        return None

    def sample(self, scenario, seconds):
        """One sample: (result of mqload, counts per transaction)."""
        with Server(self.tools.mqload, scenario.server) as server:
            target = f"{self.address}:{server.port}"
            warm = scenario.warm_up(target)
            words = scenario.arguments(target, seconds)
            with Child(self.wrap(["sh", "-c", CLIENT, self.tools.mqload,
                                  " ".join(warm), " ".join(words),
                                  PING_RANGE if self.namespace else ""]),
                       self.heap.environment()) as child:
                return self._measure(child, seconds)

    def _measure(self, child, seconds):
        helper = None
        try:
            self._expect(child, "ready", 20)
            helper = self.attach(child.pid)
            child.say("go\n")
            self._expect(child, "warm", 30)
            meter = Meter(lambda: self.counters(child), self.heap,
                          {child.pid} | ({helper.pid} if helper else set()))
            meter.begin()
            child.say("go\n")
            result = json.loads(self._expect(child, "{", seconds + 30))
            meter.end()
            child.say("go\n")
            child.wait(20)
        finally:
            if helper:
                helper.stop()
        return result, meter.counts(result["done"])

    @staticmethod
    def _expect(child, start, seconds):
        line = child.find(start, seconds)
        if line is None:
            raise OSError(child.complaint() or "the client ended early")
        return line


class Netns(HostSystem):
    """mqvmm netns."""
    name = "netns"
    title = "mqvmm netns"
    namespace = True
    address = "10.0.2.2"

    def __init__(self, tools, label="", program=None, queues=None):
        super().__init__(tools)
        self.mqvmm = program or tools.mqvmm
        self.queues = queues or tools.cpus
        self.name += label
        self.title += label
        self.stats = os.path.join(tools.work, f"{self.name.replace('/', '-')}.stats")
        self.heap = allocations.Allocations(tools.allocations, f"{self.stats}.heap")

    def missing(self):
        run = subprocess.run([self.mqvmm, "netns", "--", "true"], timeout=30, check=False,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return run.stderr.decode().strip() if run.returncode else None

    def version(self):
        return first_line(self.mqvmm, "--version")

    def wrap(self, argv):
        return [self.mqvmm, "netns", "--queues", str(self.queues),
                "--stats", self.stats, "--", "env", "-u", "LD_PRELOAD"] + argv

    def counters(self, child):
        return counters.ask(child.pid, self.stats)


class Pasta(HostSystem):
    name = title = program = "pasta"
    package = "passt"
    namespace = True

    @property
    def address(self):
        """pasta has the host's loopback at the default gateway's address."""
        return self.tools.gateway

    def missing(self):
        return super().missing() or (
            None if self.address else "this host has no default gateway, by which "
            "pasta leads to its loopback")

    def wrap(self, argv):
        # Started by root, it becomes nobody, who may not open the namespace.
        runas = ["--runas", "0:0"] if os.geteuid() == 0 else []
        return ["pasta", *runas, "--quiet", "--config-net", "--"] + argv


class Slirp4netns(HostSystem):
    name = title = program = package = "slirp4netns"
    namespace = True
    address = "10.0.2.2"

    def wrap(self, argv):
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        return ["unshare", *user, "--net", "--"] + argv

    def attach(self, pid):
        helper = Child(["sh", "-c", 'exec slirp4netns --configure --mtu=65520 '
                        '--ready-fd=3 "$0" tap0 3>&1 >/dev/null', str(pid)])
        try:
            if helper.byte(10) != b"1":
                raise OSError(f"slirp4netns: {helper.complaint()}")
        except BaseException:
            helper.stop()
            raise
        return helper
