# SPDX-License-Identifier: BSD-3-Clause
# All queue pairs are in use, each has MSI-X vectors of its own, and a flow
# from each CPU makes each of them interrupt.
. /checks/lib.sh
pairs=${mq_queues:-$mq_cpus}
[ "$(set-queues $device)" = "$pairs $pairs" ] ||
	fail "queue pairs now and at most: $(set-queues $device), not $pairs"
vectors >/run/before
load rr --flows "$mq_cpus" --pin --count $((300 * mq_cpus))
load up --flows "$mq_cpus" --pin --count $((4 * mq_cpus))M
vectors >/run/after
cat /run/after
i=0
while [ $i -lt "$pairs" ]; do
	for direction in input output; do
		before=$(awk -v n=".*-$direction.$i$" '$1 ~ n { print $2 }' /run/before)
		after=$(awk -v n=".*-$direction.$i$" '$1 ~ n { print $2 }' /run/after)
		kind=$(awk -v n=".*-$direction.$i$" '$1 ~ n { print $3 }' /run/after)
		[ -n "$after" ] || fail "$direction.$i has no vector"
		case $kind in
		*PCI-MSI*) ;;
		*) fail "$direction.$i is $kind, not MSI" ;;
		esac
		[ "$after" -gt "$before" ] || fail "$direction.$i never interrupted"
	done
	i=$((i + 1))
done
