# SPDX-License-Identifier: BSD-3-Clause
# The number of queue pairs goes up and down while connections run.
. /checks/lib.sh
[ "$mq_cpus" -gt 1 ] || skip "needs two queue pairs"
mqload crr --to "$host:$mq_port" --flows 8 --seconds 5 >/run/load 2>&1 &
load=$!
changes=0
while kill -0 $load 2>/dev/null; do
	for pairs in 1 "$mq_cpus" $(((mq_cpus + 1) / 2)) "$mq_cpus"; do
		now=$(set-queues $device "$pairs") || fail "cannot set $pairs pairs"
		[ "$now" = "$pairs $mq_cpus" ] || fail "set $pairs pairs, got $now"
		changes=$((changes + 1))
		sleep 0.1
	done
done
wait $load || fail "errors under $changes changes: $(cat /run/load)"
cat /run/load
load rr --flows "$mq_cpus" --pin --count $((100 * mq_cpus))
