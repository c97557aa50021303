# SPDX-License-Identifier: BSD-3-Clause
"""Figures of a report: medians with intervals, and result.json, whose keys for
each system are those of void-box's network bench; null is what was not
measured."""
from . import stats

# Key: mode, metric. All of them with one flow, as there.
SINGLE_FLOW = {
    "tcp_throughput_g2h_mbps": ("up", "mbps"),
    "tcp_throughput_h2g_mbps": ("down", "mbps"),
    "tcp_bulk_throughput_g2h_mbps": ("bulk", "mbps"),
    "tcp_rr_latency_us_p50": ("rr", "p50"),
    "tcp_rr_latency_us_p99": ("rr", "p99"),
    "tcp_crr_latency_us_p50": ("crr", "p50"),
    "tcp_crr_latency_us_p99": ("crr", "p99"),
    "udp_rr_latency_us_p50": ("udp", "p50"),
    "udp_dns_qps": ("dnsq", "rate"),
    "icmp_rr_latency_us_p50": ("icmp", "p50"),
    "icmp_rr_latency_us_p99": ("icmp", "p99"),
}


def median(table, system, scenario, metric):
    """The median of the samples' figures; None where there are none."""
    found = stats.median_interval(table.values(system, scenario, metric))
    return found[0] if found else None


def interval(table, system, scenario, metric):
    """(median, low, high, coverage), or None."""
    return stats.median_interval(table.values(system, scenario, metric))


def worst(table, system, scenario, metric):
    return max(table.values(system, scenario, metric), default=None)


def counts(table, system, scenario):
    """Medians of the counts per transaction."""
    return {name: stats.median_interval(values)[0]
            for name, values in table.counts(system, scenario).items()}


def concurrent(table, system):
    """A row for each scenario: how it does with so many flows."""
    rows = []
    for scenario in table.scenarios:
        name = scenario["name"]
        if not table.results(system, name):
            continue
        rows.append({
            "mode": scenario["mode"], "flows": scenario["flows"],
            "samples": len(table.results(system, name)),
            "per_second": median(table, system, name, "rate"),
            "mbps": median(table, system, name, "mbps"),
            "latency_us_p50": median(table, system, name, "p50"),
            "latency_us_p99_max": worst(table, system, name, "p99"),
            "errors": sum(table.values(system, name, "errors")),
            "counts_per_transaction": counts(table, system, name)})
    return rows


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
            "systems": systems, "skipped": document["skipped"]}
