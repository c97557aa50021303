# SPDX-License-Identifier: BSD-3-Clause
# The guest's nodes have the CPUs, the distances and the share of the memory
# that mq.numa tells: CPUS=DISTANCE,DISTANCE... of each node, a slash between.
. /checks/lib.sh
[ -e /sys/devices/system/node/node0 ] || skip "this kernel knows no NUMA"
cd /sys/devices/system/node || exit 1
seen=
nodes=$(ls -d node[0-9]* | wc -l)
node=0
while [ $node -lt "$nodes" ]; do
	seen=$seen${seen:+/}$(cat node$node/cpulist)=$(tr ' ' , <node$node/distance)
	kib=$(awk '/MemTotal/ { print $4 }' node$node/meminfo)
	echo "node $node: $kib KiB"
	[ $((kib / 1024 * nodes * 100)) -gt $((mq_memory * 60)) ] ||
		fail "node $node has only $kib KiB"
	node=$((node + 1))
done
[ "$seen" = "$mq_numa" ] || fail "nodes $seen, not $mq_numa"
