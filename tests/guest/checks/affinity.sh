# SPDX-License-Identifier: BSD-3-Clause
# With a queue pair for each CPU, the interrupts of pair i and what CPU i
# transmits stay on CPU i.
. /checks/lib.sh
pairs=${mq_queues:-$mq_cpus}
[ "$pairs" = "$mq_cpus" ] || skip "$pairs queue pairs for $mq_cpus CPUs"
virtio=$(basename "$(readlink "/sys/class/net/$device/device")")
i=0
while [ $i -lt "$pairs" ]; do
	for direction in input output; do
		irq=$(awk -v name="$virtio-$direction.$i" \
			'$NF == name { sub(":", "", $1); print $1 }' /proc/interrupts)
		[ -n "$irq" ] || fail "$direction.$i has no interrupt"
		cpus=$(cat "/proc/irq/$irq/smp_affinity_list")
		echo "$direction.$i: CPU $cpus"
		[ "$cpus" = $i ] || fail "$direction.$i interrupts CPU $cpus"
	done
	mask=$(cat "/sys/class/net/$device/queues/tx-$i/xps_cpus" 2>/dev/null)
	[ "$pairs" = 1 ] || [ $((0x${mask##*,})) = $((1 << i)) ] ||
		fail "tx-$i is for the CPUs $mask"
	i=$((i + 1))
done
