#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# locks.sh MQVMM MQLOAD BOUNCE COUNT_LOCKS: shards that carry traffic take no
# lock, also where every frame comes on a queue chosen at random. The control:
# the grace thread, which takes liburcu's meanwhile, is counted in the same way.
# Exit status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2 bounce=$3 preload=$4
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
start_server load "$mqload" server --port 0

# locks ENGINE THREADS: that these take during transactions of all kinds, behind
# others
locks() {
	truncate -s 8 "$work/count"
	# shellcheck disable=SC2016 # the inner shell's
	LD_PRELOAD=$preload COUNT_LOCKS=$work/count COUNT_LOCKS_OF=$2 \
		timeout -k 5 60 "$mqvmm" netns --queues 4 --net "engine=$1" \
		--stats "$work/stats" -- env -u LD_PRELOAD "$bounce" eth0 sh -c '
			run() {
				for mode in crr rr udp; do
					"$1" $mode --to "10.0.2.2:$2" --flows 8 --count 2000 \
						>/dev/null || exit 1
				done
			}
			run "$1" "$2"
			before=$(od -An -td8 "$3")
			run "$1" "$2"
			echo $(($(od -An -td8 "$3") - before))' \
		- "$mqload" "$port" "$work/count"
}

counted() { # NAME, of all shards
	tr '{,' '\n\n' <"$work/stats" | sed -n "s/\"$1\":\([0-9]*\).*/\1/p" |
		awk '{ sum += $1 } END { print sum + 0 }'
}

for engine in io_uring epoll; do
	taken=$(locks $engine shard)
	echo "# $engine: $taken locks, $(counted handoffs_in) frames handed over"
	check "$engine: shards take no lock" [ "${taken:-1}" = 0 ]
	check "$engine: ... and hand frames over" [ "$(counted handoffs_in)" -gt 1000 ]
	taken=$(locks $engine grace)
	check "$engine: locks of the grace thread are counted" [ "${taken:-0}" -gt 0 ]
done
exit $failed
