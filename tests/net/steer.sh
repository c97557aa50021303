#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# steer.sh MQVMM MQLOAD: what a program sends goes to the shard of the CPU that
# it runs on, where BPF may be used. Exit status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' |
	awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }')
if [ "${#cpus[@]}" -lt 2 ]; then
	echo "skipped: steering needs two CPUs"
	exit 77
fi
start_server load "$mqload" server --port 0

# by_shard CPU SHARD: flows of a program on CPU are all made by SHARD
by_shard() {
	timeout -k 5 60 taskset -c "${cpus[0]},${cpus[1]}" \
		"$mqvmm" netns --queues 2 --place registry=off \
		--stats "$work/stats" -- \
		taskset -c "$1" "$mqload" crr --to "10.0.2.2:$port" --count 200
	made=$(tr '{' '\n' <"$work/stats" |
		sed -n "s/.*\"shard\":$2,.*\"tcp_flows\":\([0-9]*\).*/\1/p")
	echo "made by shard $2: $made"
	[ "$made" = 200 ]
}

for i in 0 1; do
	check "flows of CPU ${cpus[$i]} are made by shard $i" by_shard "${cpus[$i]}" $i
done
exit $failed
