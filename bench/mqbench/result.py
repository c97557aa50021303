# SPDX-License-Identifier: BSD-3-Clause
"""Figures of a report: medians with intervals, and result.json, whose keys for
each system are those of void-box's network bench; null is what was not
measured."""
from . import metrics, stats, targets
from .metrics import MBPS, P50, P99, RATE

# Key: mode, metric. All of them with one flow, as there.
SINGLE_FLOW = {
    "tcp_throughput_g2h_mbps": ("up", MBPS),
    "tcp_throughput_h2g_mbps": ("down", MBPS),
    "tcp_bulk_throughput_g2h_mbps": ("bulk", MBPS),
    "tcp_rr_latency_us_p50": ("rr", P50),
    "tcp_rr_latency_us_p99": ("rr", P99),
    "tcp_crr_latency_us_p50": ("crr", P50),
    "tcp_crr_latency_us_p99": ("crr", P99),
    "tcp_rx_latency_us_p50": ("rx", P50),
    "udp_rr_latency_us_p50": ("udp", P50),
    "udp_dns_qps": ("dnsq", RATE),
    "icmp_rr_latency_us_p50": ("icmp", P50),
    "icmp_rr_latency_us_p99": ("icmp", P99),
}


def median(table, system, scenario, metric):
    """The median of the samples' figures; None where there are none."""
    found = stats.median_interval(table.values(system, scenario, metric.path))
    return found[0] if found else None


def interval(table, system, scenario, metric):
    """(median, low, high, coverage), or None."""
    return stats.median_interval(table.values(system, scenario, metric.path))


def worst(table, system, scenario, metric):
    return max(table.values(system, scenario, metric.path), default=None)


def counts(table, system, scenario):
    """Medians of the counts per transaction."""
    return {name: stats.median_interval(values)[0]
            for name, values in table.counts(system, scenario).items()}


def _row(table, system, scenario):
    name, mode, flows = scenario["name"], scenario["mode"], scenario["flows"]
    row = {"mode": mode, "flows": flows, "samples": len(table.results(system, name)),
           "samples_with_errors": len(table.troubled(system, name)),
           "per_second": median(table, system, name, RATE),
           "mbps": median(table, system, name, MBPS),
           "latency_us_p50": median(table, system, name, P50),
           "latency_us_p99_max": worst(table, system, name, P99)}
    row |= {metric.path.replace(".", "_"): median(table, system, name, metric)
            for metric in metrics.of(mode, flows) if metric not in (RATE, P50, P99, MBPS)}
    return row | {"errors": sum(table.values(system, name, "errors")),
                  "counts_per_transaction": counts(table, system, name)}


def concurrent(table, system):
    """A row for each scenario: how it does with so many flows."""
    return [_row(table, system, scenario) for scenario in table.scenarios
            if table.results(system, scenario["name"])]


def judged(table):
    """What the run says of each target that it has samples for."""
    return [{"system": found.system, "target": found.target.text,
             "bound": found.target.bound, "at_least": found.target.metric.more,
             "measured": found.measured, "interval": [found.low, found.high],
             "confidence": found.confidence, "verdict": found.verdict, "why": found.why}
            for found in targets.verdicts(table)]


def summary(table):
    """result.json."""
    document = table.document
    systems = {}
    for system in table.systems:
        figures = {key: median(table, system, f"{mode}-1", metric)
                   for key, (mode, metric) in SINGLE_FLOW.items()}
        systems[system] = dict(figures, concurrent=concurrent(table, system))
    return {"complete": document["complete"], "machine": document["machine"],
            "settings": document["settings"], "versions": {
                name: system["version"] for name, system in document["systems"].items()},
            "systems": systems, "targets": judged(table), "skipped": document["skipped"],
            "remarks": document.get("remarks", []),
            **({"rig": document["rig"]} if "rig" in document else {})}
