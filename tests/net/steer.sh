#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# steer.sh MQVMM MQLOAD: what a program sends goes to the shard of the CPU that
# it runs on, where BPF may be used. Exit status: 0 passed, 1 failed, 77 skipped.
set -u
mqvmm=$1 mqload=$2
if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
	echo "skipped: steering needs root and /dev/net/tun"
	exit 77
fi
mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' |
	awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }')
if [ "${#cpus[@]}" -lt 2 ]; then
	echo "skipped: steering needs two CPUs"
	exit 77
fi
work=$(mktemp -d)
mkfifo "$work/port"
"$mqload" server --port 0 >"$work/port" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
read -r -t 10 _ port <"$work/port"

failed=0
for i in 0 1; do
	timeout -k 5 60 taskset -c "${cpus[0]},${cpus[1]}" \
		"$mqvmm" netns --queues 2 --stats "$work/stats" -- \
		taskset -c "${cpus[$i]}" "$mqload" crr --to "10.0.2.2:$port" \
		--count 200 >"$work/out" 2>&1
	made=$(tr '{' '\n' <"$work/stats" | sed -n 's/.*"tcp_flows":\([0-9]*\).*/\1/p')
	if [ "$(echo "$made" | sed -n "$((i + 1))p")" = 200 ]; then
		echo "ok - flows of CPU ${cpus[$i]} are made by shard $i"
	else
		echo "not ok - flows of CPU ${cpus[$i]} are made by shard $i"
		echo "# made by each:" $made
		sed 's/^/# /' "$work/out"
		failed=1
	fi
done
exit $failed
