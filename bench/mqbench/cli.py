# SPDX-License-Identifier: BSD-3-Clause
"""The command line of mqvmm bench."""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from . import compare, machine, report, rig, samples, scenarios, systems, tables, virtual
from .runner import Runner

HERE = str(pathlib.Path(__file__).resolve().parent.parent)
SYSTEMS = {kind.name: kind for kind in (
    systems.HostSystem, systems.Netns, systems.Pasta, systems.Slirp4netns,
    virtual.Run, virtual.QemuLibslirp, virtual.QemuPasst, virtual.QemuPasstVhost,
    virtual.QemuMqvmm)}
INTERRUPTED = 130  # exit status
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _flows(text):
    flows = sorted({int(word) for word in text.split(",")})
    if flows[0] < 1 or flows[-1] > 4096:
        raise ValueError
    return flows


def _scenarios(text):
    names = text.split(",")
    if not set(names) <= set(scenarios.TITLES):
        raise ValueError
    return names


def _programs(text):
    programs = dict(word.split("=", 1) for word in text.split(","))
    if not all(label and os.access(path, os.X_OK) for label, path in programs.items()):
        raise ValueError
    return programs


def _positive(kind):
    def read(text):
        value = kind(text)
        if not 0 < value < 1e5:
            raise ValueError
        return value
    read.__name__ = "positive number"
    return read


def _parser():
    _flows.__name__ = "list of numbers"
    _scenarios.__name__ = "list of scenarios"
    _programs.__name__ = "list of LABEL=PROGRAM, each a program that can be run"
    parser = argparse.ArgumentParser(
        prog="mqvmm bench", allow_abbrev=False,
        description="Measures mqvmm beside its peers and writes a report; "
        "'mqvmm bench compare A B' tells what differs between two.")
    parser.add_argument("--systems", metavar="LIST", default=",".join(SYSTEMS),
                        help="of " + ",".join(SYSTEMS) + " (all)")
    parser.add_argument("--flows", metavar="LIST", type=_flows,
                        help="concurrent flows (1,2,4,8; with --quick 1,2)")
    parser.add_argument("--scenarios", metavar="LIST", type=_scenarios,
                        help="of " + ",".join(scenarios.TITLES) + ", each with all of "
                        "--flows (all; with --quick crr,rr,up,down)")
    parser.add_argument("--queues", metavar="LIST", type=_flows,
                        help="measure mqvmm with so many queues side by side: netns/1, ...")
    parser.add_argument("--rounds", metavar="N", type=_positive(int),
                        help="samples of each (6; with --quick 2)")
    parser.add_argument("--seconds", metavar="S", type=_positive(float),
                        help="of each sample (3; with --quick 0.5)")
    parser.add_argument("--quick", action="store_true", help="few short scenarios")
    parser.add_argument("--cpus", metavar="N", type=_positive(int),
                        help="of guests, and queues of netns (2 to 8, as the host has)")
    parser.add_argument("--images", metavar="DIR", help="guest images (guest/ of the build)")
    parser.add_argument("--programs", metavar="A=MQVMM,B=MQVMM", type=_programs,
                        help="measure several builds of mqvmm side by side: netns@A, ...")
    parser.add_argument("--output", metavar="DIR", required=True, help="folder for the report")
    return parser


def _defaults(options):
    quick = options.quick
    options.flows = options.flows or ([1, 2] if quick else [1, 2, 4, 8])
    options.rounds = options.rounds or (2 if quick else 6)
    options.seconds = options.seconds or (0.5 if quick else 3)
    options.cpus = options.cpus or min(max(len(os.sched_getaffinity(0)), 2), 8)


def _variants(options):
    """(label, program, queues): mqvmm for each of --programs and --queues."""
    programs = options.programs or {}
    builds = [(f"@{label}", path) for label, path in programs.items()] or [("", None)]
    return list(programs), [
        (label + (f"/{queues}" if queues else ""), path, queues)
        for label, path in builds for queues in options.queues or [None]]


def _make_systems(options, tools):
    """The systems of --systems, and the labels of --programs."""
    labels, variants = _variants(options)
    made = []
    for name in options.systems.split(","):
        if name not in SYSTEMS:
            raise ValueError(f"there is no system '{name}': {', '.join(SYSTEMS)}")
        if tables.ours(name):
            made += [SYSTEMS[name](tools, *variant) for variant in variants]
        else:
            made.append(SYSTEMS[name](tools))
    return made, labels


def _present(made, skipped):
    """Those that can be measured here; one line for each that cannot."""
    there = []
    for system in made:
        why = system.missing()
        if why:
            skipped[system.name] = why
            print(f"skipped {system.name}: {why}", file=sys.stderr)
        else:
            there.append(system)
    return there


def _write(document, output, labels):
    for label in labels:
        samples.save(samples.split(document, label),
                     os.path.join(output, f"samples-{label}.json"))
    report.write(document, output)
    print(f"report: {os.path.join(output, 'report.html')}, report.md, result.json")


def _choose(options, tools):
    """The scenarios, and what to remark on those that cannot be measured."""
    chosen = scenarios.choose(options.flows, options.quick,
                              machine.load_modes(tools.mqload), options.scenarios)
    if scenarios.may_ping() or not any(scenario.mode == "icmp" for scenario in chosen):
        return chosen, []
    why = (f"ICMP echo was not measured, for group {os.getegid()} may not ping here: sysctl "
           'net.ipv4.ping_group_range="0 2147483647" lets all.')
    print(why, file=sys.stderr)
    return [scenario for scenario in chosen if scenario.mode != "icmp"], [why]


def _rig_is_wanted(skipped, tools):
    """A guest was asked for that this host's KVM does not run, but a rig would."""
    if tools.guest in ("stock", "cpl3") or not any(
            name.startswith(virtual.Run.name) for name in skipped):
        return False
    why = rig.missing(tools)
    if why:
        print(f"skipped the nested rig: {why}", file=sys.stderr)
    return why is None


def _count_in_rig(document, tools):
    print("counting in the nested rig, some minutes", file=sys.stderr)
    try:
        document["rig"] = rig.count(tools)
    except OSError as error:
        document["remarks"].append(f"Nothing was counted: {error}.")


def _document(options, tools, present, skipped):
    """What samples.json says before the first sample."""
    return {
        "format": samples.FORMAT, "complete": False, "machine": machine.describe(tools),
        "settings": {"flows": options.flows, "rounds": options.rounds,
                     "seconds": options.seconds, "quick": options.quick},
        "systems": {system.name: {"title": system.title, "kind": system.kind,
                                  "version": system.version()} for system in present},
        "skipped": skipped, "samples": []}


def _measure(options, work):
    tools = machine.find_tools(HERE, options.images, work, options.cpus)
    skipped = {}
    made, labels = _make_systems(options, tools)
    present = _present(made, skipped)
    in_rig = _rig_is_wanted(skipped, tools)
    if not present and not in_rig:
        raise ValueError("none of these systems can be measured here")
    chosen, remarks = _choose(options, tools)
    os.makedirs(options.output, exist_ok=True)
    document = dict(
        _document(options, tools, present, skipped), remarks=remarks,
        scenarios=[{"name": s.name, "mode": s.mode, "flows": s.flows} for s in chosen])

    def save():
        samples.save(document, os.path.join(options.output, "samples.json"))

    try:
        save()
        Runner(document, present, chosen, save).run()
        if in_rig:
            _count_in_rig(document, tools)
        document["complete"] = True
    except KeyboardInterrupt:
        print("\nmqvmm bench: interrupted; the report holds what was measured",
              file=sys.stderr)
    save()
    _write(document, options.output, labels)
    if not document["complete"]:
        return INTERRUPTED
    return int(any(sample["result"] is None for sample in document["samples"]))


def _interrupt(*_):
    # A second one must neither leave processes behind nor tear the report.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(arguments):
    """The exit status: 0, 1 a sample failed, 2 wrong input, 130 interrupted."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    work = tempfile.mkdtemp(prefix="mqvmm-bench-")
    os.chmod(work, 0o755)
    try:
        if arguments[:1] == ["compare"]:
            return compare.main(arguments[1:])
        options = _parser().parse_args(arguments)
        _defaults(options)
        return _measure(options, work)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (OSError, ValueError) as error:
        print(f"mqvmm bench: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(work, ignore_errors=True)
