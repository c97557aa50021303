# SPDX-License-Identifier: BSD-3-Clause
"""The host, its tools, and what a report says of both."""
import json
import os
import platform
import subprocess
from dataclasses import dataclass

from . import allocations
from .process import first_line


@dataclass
class Tools:
    """Where everything is, and the size of guests."""
    here: str          # the folder of mqvmm-bench
    mqvmm: str
    mqload: str
    images: str
    work: str          # a folder for temporary files
    cpus: int
    memory_mib: int = 1024
    guest: str = "none"
    gateway: str = ""
    allocations: str = None  # the library that counts them


def find_tools(here, images, work, cpus):
    """In a build folder, or as installed."""
    mqvmm = os.environ.get("MQVMM") or os.path.join(here, "..", "build", "src", "mqvmm")
    build = os.path.join(os.path.dirname(mqvmm), "..")
    mqload = next((path for path in (
        os.environ.get("MQLOAD", ""), os.path.join(here, "mqload"),
        os.path.join(build, "bench", "load", "mqload")) if os.access(path, os.X_OK)), None)
    if not os.access(mqvmm, os.X_OK) or not mqload:
        raise OSError(f"no mqvmm at '{mqvmm}', or no mqload beside it: build both, or "
                      "name them with the variables MQVMM and MQLOAD")
    return Tools(here, os.path.abspath(mqvmm), os.path.abspath(mqload),
                 os.path.abspath(images or os.path.join(build, "guest")), work, cpus,
                 guest=_guest(mqvmm), gateway=_gateway(), allocations=allocations.find(build))


def load_modes(mqload):
    """The client modes that this mqload has, by the usage that it prints:
    mqload MODE|MODE --to HOST:PORT ..."""
    text = subprocess.run([mqload, "--help"], stdout=subprocess.PIPE, timeout=20,
                          stdin=subprocess.DEVNULL, check=False).stdout.decode()
    usage = [line.replace("Usage:", "").split() for line in text.split("\n")
             if "mqload " in line and "--to" in line]
    return {mode for words in usage for mode in words[1].split("|")}


def _guest(mqvmm):
    try:
        run = subprocess.run([mqvmm, "doctor", "--json"], stdout=subprocess.PIPE, timeout=60,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
        return json.loads(run.stdout)["guest_code"]["guest"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return "none"


def _gateway():
    words = first_line("ip", "-4", "route", "show", "default").split()
    return words[words.index("via") + 1] if "via" in words else ""


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file
                     if line.startswith("model name")), platform.machine())


def describe(tools):
    """The machine, for the head of a report."""
    commit = first_line("git", "-C", tools.here, "describe", "--always", "--dirty",
                        "--abbrev=12", "--exclude=*")
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory_kib = int(file.readline().split()[1])
    return {"processor": _processor(), "cpus": len(os.sched_getaffinity(0)),
            "memory_mib": memory_kib // 1024, "kernel": platform.release(),
            "load_average": os.getloadavg()[0], "guest": tools.guest,
            "guest_cpus": tools.cpus, "guest_memory_mib": tools.memory_mib,
            "commit": "" if " " in commit else commit}
