# SPDX-License-Identifier: BSD-3-Clause
"""What a reader has to know before the figures, in sentences."""
from . import samples, stats

# Behind figures of which some samples ended with errors.
MARK = "†"


def _method(settings, complete):
    rounds, most = settings["rounds"], "" if complete else "at most "
    coverage = stats.median_interval(list(range(rounds)))[3]
    return (f"Medians of {most}{rounds} samples of {settings['seconds']:g} s each, in rounds that "
            "interleave the systems (ABC, CBA), each with a server of its own and after a "
            "warm-up that is dropped. " + (
                "Beside each an interval of order statistics that holds the true median with "
                f"{most}{100 * coverage:.0f} % confidence." if rounds > 1 else
                "A single sample says nothing of its noise."))


def _guests(machine):
    lines = [f"Guests: {machine['guest_cpus']} vCPUs, {machine['guest_memory_mib']} MiB, "
             "one image for all of them."]
    if machine["guest"] == "cpl3":
        lines.append(
            "This host's KVM runs no unmodified kernel at native speed: all guests run the "
            "cpl3 kernel, on which a VM exit or interrupt costs what it costs here. They "
            "can be compared with each other, and with nothing else.")
    return lines


def warnings(table):
    """What makes the whole report doubtful."""
    document, lines = table.document, []
    machine = document["machine"]
    if not document["complete"]:
        lines.append("INCOMPLETE: the run was interrupted; what had been measured is below.")
    if machine["load_average"] > machine["cpus"] / 2:
        lines.append("The machine was busy when the run began: do not trust the times.")
    if any(_troubled(table)):
        lines.append(f"Figures marked {MARK} include samples that ended with errors, told below.")
    return lines


def remarks(table):
    """How it was measured, and where."""
    document = table.document
    machine = document["machine"]
    lines = [_method(document["settings"], document["complete"]),
             f"Machine: {machine['processor']}, {machine['cpus']} CPUs, "
             f"{machine['memory_mib']} MiB, Linux {machine['kernel']}; load "
             f"{machine['load_average']:.1f} before the run; mqvmm bench of commit "
             f"{machine['commit'] or 'unknown'}."]
    if any(entry["kind"] == "vm" for entry in document["systems"].values()):
        lines += _guests(machine)
    return lines + document.get("remarks", [])


def counts():
    """How to read the counts."""
    return ("Context switches and CPU µs are what the kernel accounts to all threads of a "
            "system, the work of its guest included, a client beside it not; the rest is what "
            "mqvmm counts itself, and its heap allocations where it is measured in its build "
            "folder. Other systems have no such counters.")


def rig():
    """How to read the counts of the nested rig."""
    return ("This host's KVM runs no guest at native speed, so these were counted on KVM in an "
            "emulated machine, with Debian's own kernel: two guests' counters, one of which "
            "made more connections. Times are worth nothing there.")


def verdicts(table):
    """How to read the verdicts."""
    cpus = table.document["machine"]["cpus"]
    return ("Ratios are those of medians, with Moses' interval (Hodges and Lehmann) of all "
            "pairs of samples. A target is met, or not met, where the whole interval lies on "
            "one side of the bound with 95 % confidence and no sample of ours was lost or "
            "had errors; all else is not decided. The targets were set for 2 CPUs" +
            (f", and this machine has {cpus}." if cpus != 2 else
             ", which client and server share with the network."))


def failures(table):
    """A line for each sample that was lost, the same told once."""
    told = {}
    for sample in table.failures:
        line = f"{sample['system']} {sample['scenario']}: {sample['why']}"
        told[line] = told.get(line, 0) + 1
    return [line + (f" ({count} times)" if count > 1 else "") for line, count in told.items()]


def _troubled(table):
    for system in table.systems:
        for scenario in table.scenarios:
            found = table.troubled(system, scenario["name"])
            if found:
                yield system, scenario["name"], found


def troubles(table):
    """A line for each system and scenario of which samples ended with errors
    although something was done."""
    lines = []
    for system, scenario, results in _troubled(table):
        kinds = {}
        for result in results:
            for kind, count in samples.errors(result).items():
                kinds[kind] = kinds.get(kind, 0) + count
        errors = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        lines.append(f"{system} {scenario}: errors in {len(results)} of "
                     f"{len(table.results(system, scenario))} samples ({errors}); what else "
                     "was done in them counts")
    return lines
