# SPDX-License-Identifier: BSD-3-Clause
# The guest reads back the sockets, cores and threads that it was given.
. /checks/lib.sh
cd /sys/devices/system/cpu || exit 1
for cpu in cpu[0-9]*; do
	echo "$(cat $cpu/topology/physical_package_id) $(cat $cpu/topology/core_id)" \
		"$(cat $cpu/topology/thread_siblings_list) $cpu"
done >/run/cpus
cat /run/cpus
sockets=$(cut -d ' ' -f 1 /run/cpus | sort -u | wc -l)
cores=$(cut -d ' ' -f 3 /run/cpus | sort -u | wc -l)
threads=$(wc -l </run/cpus)
[ "$sockets,$((cores / sockets)),$((threads / cores))" = "$mq_topology" ] ||
	fail "sockets, cores, threads: $sockets,$((cores / sockets)),$((threads / cores)), not $mq_topology"
