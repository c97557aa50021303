# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel accounts to a system's threads, seen from outside: the same for
every system, whoever wrote it."""
import os

# The client and what waits for it; the rest of a session is the system.
CLIENTS = ("mqload", "sh", "bash")
NAMES = ("context switches", "CPU µs")


def read(sessions):
    """Context switches and CPU time in microseconds of all threads in these
    sessions, by thread; what ended meanwhile is left out."""
    sums = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if _belongs(pid, sessions):
                for tid in os.listdir(f"/proc/{pid}/task"):
                    sums[tid] = _thread(f"/proc/{pid}/task/{tid}")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return sums


def _belongs(pid, sessions):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        name, _, rest = file.read().partition("(")[2].rpartition(")")
    return int(rest.split()[3]) in sessions and name not in CLIENTS


def _thread(folder):
    with open(f"{folder}/status", encoding="utf-8", errors="replace") as file:
        switches = sum(int(line.split()[1]) for line in file if "ctxt_switches:" in line)
    with open(f"{folder}/schedstat", encoding="utf-8") as file:
        return switches, int(file.read().split()[0]) / 1000


def difference(before, after, done):
    """Per transaction. A thread that began in between counts from its beginning,
    also one that has the number of another that ended."""
    if not after or not done:
        return {}
    return {name: round(sum(_since(before.get(tid, (0, 0)), now, i)
                            for tid, now in after.items()) / done, 3)
            for i, name in enumerate(NAMES)}


def _since(old, now, i):
    return now[i] - old[i] if now[i] >= old[i] else now[i]
