#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# bench/wakeups.sh SECONDS [PATTERN]
#
# Who wakes whom on this machine, and how often across CPUs: a table of wake-ups
# per second, by names of threads, of those that match PATTERN (an extended
# regular expression, by default threads of mqvmm, QEMU, passt and mqload). Needs
# root and perf (package linux-perf). Slows down what it looks at by some percent.
set -euo pipefail
seconds=${1:?usage: bench/wakeups.sh SECONDS [PATTERN]}
pattern=${2:-^(vcpu|shard|mqload|mqvmm|qemu|CPU |passt|pasta|slirp)}
command -v perf >/dev/null || { echo "wakeups.sh: no perf; install linux-perf" >&2; exit 1; }
data=$(mktemp)
trap 'rm -f "$data"' EXIT
timeout $((${seconds%.*} + 30)) perf record -q -a -e sched:sched_waking \
	-o "$data" -- sleep "$seconds"
perf script -i "$data" -F comm,cpu,trace 2>/dev/null |
	awk -v seconds="$seconds" -v pattern="$pattern" '
	# "  shard0 [001] comm=mqload pid=18812 prio=120 target_cpu=000"
	{
		cpu = $0; sub(/\].*/, "", cpu); sub(/.*\[/, "", cpu)
		waker = $0; sub(/ *\[[0-9]+\].*/, "", waker); sub(/^ */, "", waker)
		woken = $0; sub(/.*comm=/, "", woken); sub(/ pid=.*/, "", woken)
		target = $0; sub(/.*target_cpu=/, "", target); sub(/ .*/, "", target)
		if (waker !~ pattern && woken !~ pattern)
			next
		pair = waker " > " woken
		all[pair]++
		if (cpu + 0 != target + 0)
			across[pair]++
	}
	END {
		for (pair in all) {
			printf "%9.0f %9.0f  %s\n", all[pair] / seconds,
				across[pair] / seconds, pair
			total += all[pair]
			crossed += across[pair]
		}
		printf "%9.0f %9.0f  all\n", total / seconds, crossed / seconds
	}' | sort -rn | sed '1i\   a second    across  waker > woken'
