# SPDX-License-Identifier: BSD-3-Clause
# What is tested in a nested rig that has NUMA nodes: a guest of one vCPU or
# two for each node, in cells that mirror them, and the same guest placed
# anywhere, in which every check of the placement has to fail.

boot_limit_s=60 # each takes some 20
vcpus=4
memory_mib=512
crossed=no # yes: cell i is on the i-th node from the end

# home CELL: the node that it should be on.
home() {
	[ $crossed = yes ] && echo $((nodes - 1 - $1)) || echo "$1"
}

# Sets nodes, and want: what checks/numa.sh has to find in the guest, whose
# cells have the distances of the host's nodes.
cells_setup() {
	nodes=$(ls -d /sys/devices/system/node/node[0-9]* | wc -l)
	each=$((vcpus / nodes))
	want=
	node=0
	while [ $node -lt "$nodes" ]; do
		cpus=$((node * each))
		[ $each = 1 ] || cpus=$cpus-$((cpus + each - 1))
		want=$want${want:+/}$cpus=$(tr ' ' , </sys/devices/system/node/node$node/distance)
		node=$((node + 1))
	done
}

# cell_lines PID: of each mapping that is bound, its node and the pages that it
# has there and elsewhere, in the order of addresses.
cell_lines() {
	awk '$2 ~ /^bind:/ {
		node = substr($2, 6)
		here = elsewhere = 0
		for (i = 3; i <= NF; i++)
			if ($i ~ /^N[0-9]+=/) {
				split(substr($i, 2), count, "=")
				if (count[1] == node) here += count[2]
				else elsewhere += count[2]
			}
		print node, here, elsewhere
	}' "/proc/$1/numa_maps"
}

# Each cell's memory, all of it, is on its node.
memory_placed() {
	cell=0
	while [ $cell -lt "$nodes" ]; do
		echo "$(home $cell) $((memory_mib * 256 / nodes)) 0"
		cell=$((cell + 1))
	done >"$work/want"
	cell_lines "$1" >"$work/got"
	cmp -s "$work/want" "$work/got"
}

# in_list CPU LIST: is it in a list like 0-1,4?
in_list() {
	for range in $(echo "$2" | tr , ' '); do
		[ "$1" -lt "${range%-*}" ] || [ "$1" -gt "${range#*-}" ] || return 0
	done
	return 1
}

# thread_placed PID NAME CELL: the thread has one CPU, which is the cell's.
thread_placed() {
	for task in "/proc/$1/task"/*; do
		[ "$(cat "$task/comm")" = "$2" ] || continue
		cpu=$(awk '/^Cpus_allowed_list/ { print $2 }' "$task/status")
		echo "$2: CPU $cpu" >>"$work/threads"
		case $cpu in
		*[!0-9]*) return 1 ;;
		esac
		in_list "$cpu" "$(cat "/sys/devices/system/node/node$(home "$3")/cpulist")"
		return
	done
	return 1
}

# vCPU i and shard i are on the node of vCPU i's cell.
threads_placed() {
	vcpu=0
	while [ $vcpu -lt $vcpus ]; do
		thread_placed "$1" vcpu$vcpu $((vcpu / each)) &&
			thread_placed "$1" shard$vcpu $((vcpu / each)) || return 1
		vcpu=$((vcpu + 1))
	done
}

# outcome COMMAND...: yes or no
outcome() {
	"$@" && echo yes || echo no
}

# guest_placed LABEL yes|no ARGUMENT...: boots a guest with these arguments of
# the VMM; says whether it is placed as the checks want it.
guest_placed() {
	label="$vmm $guest $nodes nodes, $1"
	expected=$2
	shift 2
	before=$failed
	initrd_setup
	rm -f "$work/stdio"
	mkfifo "$work/stdio"
	for file in console memory placed got threads; do
		: >"$work/$file"
	done
	vmm_extra="--memory ${memory_mib}M,prefault=on $*"
	vm_output=$work/stdio
	vm_start $vcpus $memory_mib "mq.run=numa mq.numa=$want mq.memory=$memory_mib mq.net=no mq.then=halt" stdio
	while IFS= read -r text; do
		echo "$text" >>"$work/console"
		case $text in
		MQ-END*)
			outcome memory_placed $child >"$work/memory"
			outcome threads_placed $child >"$work/placed"
			kill $child
			;;
		esac
	done <"$work/stdio"
	vm_wait
	vmm_extra=
	expect "$label: memory is on its nodes: $expected" $expected "$(cat "$work/memory")"
	expect "$label: threads are on their nodes: $expected" $expected "$(cat "$work/placed")"
	expect "$label: the guest sees them: $expected" $expected \
		"$(outcome grep -q '^MQ-OK numa' "$work/console")"
	expect "$label: SIGTERM stops it with status 0" 0 $status
	took "${label#$vmm $guest }"
	if [ $failed -gt "$before" ] || [ -n "$verbose" ]; then
		cat "$work/errors" "$work/console" "$work/got" "$work/threads" | comment
	fi
}

# The distances of two nodes are the same in either order.
crossed_cells() {
	each_mib=$((memory_mib / 2))
	crossed=yes
	guest_placed "--numa, crossed" yes \
		--numa cpus=0-1,memory=${each_mib}M,host-nodes=1 \
		--numa cpus=2-3,memory=${each_mib}M,host-nodes=0
	crossed=no
}

mqvmm_list() {
	cells_setup
	topology=sockets=$nodes # its caches end where its cells do
	case $nodes in
	2) crossed_cells ;;
	*) guest_placed "--place numa" yes --place numa ;;
	esac
	guest_placed "--place none" no --place none
}
