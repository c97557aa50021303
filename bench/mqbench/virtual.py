# SPDX-License-Identifier: BSD-3-Clause
"""Systems whose client is a guest: one boot measures all scenarios of a round.

The guest's side is bench/guest/bench-rounds.sh. It says on the console

  MQ-WARM I      scenario I begins when its counters can have been read
  MQ-SAMPLE I {} the result of mqload
"""
import gzip
import json
import os
import shutil
import subprocess
import time

from . import allocations, counters
from .meter import Meter
from .process import Child, Server, TooLong, first_line, output, version

BOOT_LIMIT_S = 90
# vm.sh sets its defaults first: what differs comes in variables beside them.
START = """
. "$here/guest/vm.sh"
vmm=$vmm_ overlay=$overlay_ netdev=$netdev_ queues=$queues_ vmm_extra=$extra_
kernel_setup
initrd_setup
vm_exec "$cpus" "$memory" "$parameters" stdio
"""


class Run:
    """mqvmm run."""
    name = "run"
    title = "mqvmm run"
    kind = "vm"
    vmm = "mqvmm"
    programs = ()

    def __init__(self, tools, label="", program=None, queues=None):
        self.tools = tools
        self.mqvmm = program or tools.mqvmm
        self.queues = queues or tools.cpus
        self.name += label
        self.title += label
        self.stats = os.path.join(tools.work, f"{self.name.replace('/', '-')}.stats")
        self.heap = allocations.Allocations(
            tools.allocations if self.vmm == "mqvmm" else None, f"{self.stats}.heap")

    def missing(self):
        tools = self.tools
        if tools.guest not in ("stock", "cpl3"):
            return "this host's KVM runs no guest at native speed (mqvmm doctor)"
        if not os.path.exists(os.path.join(tools.images, f"{tools.guest}-initramfs.gz")):
            return (f"no image of the {tools.guest} guest in {tools.images}: "
                    "make it with bench/guest/build-images.sh, name it with --images")
        for program in self.programs:
            if not shutil.which(program):
                return f"{program} is not installed"
        return None

    def version(self):
        return first_line(self.mqvmm, "--version")

    def helper(self):
        """What has to run beside the VMM; what to stop, or None."""
        return None

    def environment(self, overlay, limit_s):
        tools = self.tools
        return {"here": tools.here, "mqvmm": self.mqvmm, "images": tools.images,
                "guest": tools.guest, "work": tools.work, "vmm_": self.vmm,
                "overlay_": overlay, "cpus": str(tools.cpus),
                "memory": str(tools.memory_mib), "netdev_": "user",
                "queues_": str(self.queues),
                "extra_": f"--stats {self.stats}" if self.vmm == "mqvmm" else "",
                "parameters": f"mq.run=bench-rounds mq.limit={limit_s}"}

    def round(self, scenarios, seconds, taken):
        """Boots once and calls taken(scenario, result, counts, why) for each
        scenario; why tells what went wrong where result is None."""
        servers, left = [], list(scenarios)
        try:
            for scenario in scenarios:
                servers.append(Server(self.tools.mqload, scenario.server))
            overlay = self._overlay(scenarios, servers, seconds)
            self._boot(overlay, left, seconds, taken)
        except (TooLong, OSError, ValueError) as error:
            for scenario in left:
                taken(scenario, None, {}, error)
        finally:
            for server in servers:
                server.stop()

    def _overlay(self, scenarios, servers, seconds):
        """An image to unpack over the guest's: what to run there."""
        tree = os.path.join(self.tools.work, "overlay")
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(os.path.join(tree, "checks"))
        shutil.copy(os.path.join(self.tools.here, "guest", "bench-rounds.sh"),
                    os.path.join(tree, "checks"))
        os.makedirs(os.path.join(tree, "bin"))
        shutil.copy(self.tools.mqload, os.path.join(tree, "bin"))
        with open(os.path.join(tree, "checks", "bench.plan"), "w", encoding="utf-8") as plan:
            for scenario, server in zip(scenarios, servers):
                target = f"HOST:{server.port}"
                plan.write(" ".join(scenario.warm_up(target)) + "|" + " ".join(
                    scenario.arguments(target, seconds)) + " --pin\n")
        names = "\n".join(os.path.relpath(os.path.join(folder, name), tree)
                          for folder, folders, files in os.walk(tree)
                          for name in folders + files)
        packed = subprocess.run(["cpio", "--quiet", "-o", "-R", "0:0", "-H", "newc"],
                                input=names.encode(), cwd=tree, check=True,
                                stdout=subprocess.PIPE).stdout
        image = f"{tree}.gz"
        with open(image, "wb") as file:
            file.write(gzip.compress(packed, 1))
        return image

    def _boot(self, overlay, left, seconds, taken):
        limit_s = int(len(left) * (seconds + 30) + 30)
        environment = self.environment(overlay, limit_s)
        helper = self.helper()
        try:
            with Child(["bash", "-c", START], {**environment, **self.heap.environment()}) as vm:
                meter = Meter(lambda: self._count(vm), self.heap,
                              {vm.pid} | ({helper.pid} if helper else set()))
                self._listen(vm, meter, left, seconds, taken)
        finally:
            if helper:
                helper.stop()

    def _listen(self, vm, meter, left, seconds, taken):
        limit_s = BOOT_LIMIT_S
        while left:
            line = vm.find("MQ-", limit_s)
            if line is None:
                raise OSError(vm.complaint() or "the guest ended early")
            word, _, rest = line.partition(" ")
            if word == "MQ-WARM":
                meter.begin()
            elif word == "MQ-SAMPLE":
                _, _, text = rest.partition(" ")
                meter.end()
                result = json.loads(text)
                taken(left.pop(0), result, meter.counts(result["done"]), None)
            elif word in ("MQ-FAIL", "MQ-END"):
                raise OSError(f"the guest says: {line}")
            if word != "MQ-BEGIN":
                limit_s = seconds + 60

    def _count(self, vm):
        return counters.ask(vm.pid, self.stats) if self.vmm == "mqvmm" else None


class QemuLibslirp(Run):
    name = "qemu-libslirp"
    title = "QEMU + libslirp"
    vmm = "qemu"
    programs = ("qemu-system-x86_64",)

    def version(self):
        return first_line("qemu-system-x86_64", "--version")


class QemuPasst(QemuLibslirp):
    name = "qemu-passt"
    title = "QEMU + passt"
    programs = ("qemu-system-x86_64", "passt")

    mode = ()

    @property
    def socket(self):
        return os.path.join(self.tools.work, "passt", "socket")

    def version(self):
        return f"{super().version()}; {version('passt', 'passt')}"

    def environment(self, overlay, limit_s):
        netdev = f"stream,server=off,addr.type=unix,addr.path={self.socket}"
        return dict(super().environment(overlay, limit_s), netdev_=netdev)

    def helper(self):
        folder = os.path.dirname(self.socket)
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        os.chmod(folder, 0o777)  # started by root, passt becomes nobody
        passt = Child(["passt", "--quiet", "--foreground", "--one-off",
                       *self.mode, "--socket", self.socket])
        end = time.monotonic() + 10
        while not os.path.exists(self.socket):
            if passt.process.poll() is not None or time.monotonic() > end:
                passt.stop()
                raise OSError(f"passt did not start: {passt.complaint()}")
            time.sleep(0.02)
        return passt


class QemuPasstVhost(QemuPasst):
    """passt takes frames out of the guest's memory, which QEMU shares with it."""
    name = "qemu-passt-vhost"
    title = "QEMU + passt, vhost-user"
    mode = ("--vhost-user",)

    def missing(self):
        return super().missing() or (
            None if self.mode[0] in output("passt", "--help") else
            f"{version('passt', 'passt')} has no {self.mode[0]}")

    def environment(self, overlay, limit_s):
        extra = (f"-chardev socket,id=c,path={self.socket} -machine memory-backend=m "
                 f"-object memory-backend-memfd,id=m,size={self.tools.memory_mib}M,share=on")
        return dict(super().environment(overlay, limit_s), netdev_="vhost-user,chardev=c",
                    extra_=extra)


class QemuMqvmm(QemuLibslirp):
    """Nobody can measure it yet; so that a report says so."""
    name = "qemu-mqvmm"
    title = "QEMU + mqvmm"

    def missing(self):
        return "mqvmm has no vhost-user socket that QEMU could use"
