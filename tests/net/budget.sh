#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# budget.sh MQVMM MQLOAD COUNT_ALLOCATIONS: what one connect/request/response/
# close costs behind `mqvmm netns`, in counts that no machine changes. Exit
# status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2 preload=$3
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
start_server load "$mqload" server --port 0

# allocations ENGINE: heap allocations of 2000 transactions behind 2000 others
allocations() {
	truncate -s 8 "$work/count"
	# shellcheck disable=SC2016 # the inner shell's
	LD_PRELOAD=$preload COUNT_ALLOCATIONS=$work/count timeout -k 5 60 \
		"$mqvmm" netns --queues 2 --net "engine=$1" -- \
		env -u LD_PRELOAD sh -c '
			run() { "$1" crr --to "10.0.2.2:$2" --flows 4 --count 2000 >/dev/null; }
			run "$1" "$2"
			before=$(od -An -td8 "$3")
			run "$1" "$2"
			echo $(($(od -An -td8 "$3") - before)) $before' \
		- "$mqload" "$port" "$work/count"
}

# spend ENGINE FLOWS: 4000 transactions; their counters are in $work/stats then
spend() {
	timeout -k 5 60 "$mqvmm" netns --queues 2 --net "engine=$1" \
		--stats "$work/stats" -- "$mqload" crr --to "10.0.2.2:$port" \
		--flows "$2" --count 4000 >/dev/null
}

# each NAME: of a counter per transaction, of all shards
each() {
	tr '{,}' '\n' <"$work/stats" |
		awk -F: -v name="\"$1\"" '$1 == name { sum += $2 }
			END { printf "%.1f", sum / 4000 }'
}

# budget ENGINE FLOWS NAME=MOST...
budget() {
	local engine=$1 flows=$2 budget count

	spend "$engine" "$flows"
	echo "# $engine, M=$flows: $(each voluntary_switches) voluntary and" \
		"$(each involuntary_switches) other switches for a transaction"
	shift 2
	for budget; do
		count=$(each "${budget%=*}")
		echo "# $engine, M=$flows: $count ${budget%=*} for a transaction"
		check "$engine: at most ${budget#*=} ${budget%=*} at M=$flows" \
			awk "BEGIN { exit !(${count:-0} > 0 && ${count:-0} <= ${budget#*=}) }"
	done
}

for engine in io_uring epoll; do
	read -r made before <<<"$(allocations $engine)"
	check "$engine: allocations are counted" [ "${before:-0}" -gt 0 ]
	check "$engine: no allocation per transaction after warm-up" [ "${made:-1}" = 0 ]
	budget $engine 1 syscalls=33 waits=5.5
	budget $engine 8 syscalls=29 waits=4
done
exit $failed
