#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rig.sh --mqvmm FILE --mqload FILE --images DIR: runs the guest tier's short
# list with Debian's own kernel in the nested rig; output as run.sh's.
#
#   --numa NODES	in a rig of 8 CPUs on so many NUMA nodes, the list that
#			needs them
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mqvmm= mqload= images= nodes= list=rig limit=600
machine=()

while [ $# -ge 2 ]; do
	case $1 in
	--mqvmm) mqvmm=$2 ;;
	--mqload) mqload=$2 ;;
	--images) images=$2 ;;
	--numa) nodes=$2; list=numa; limit=400 ;;
	*) echo "rig.sh: there is no option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done
# numa_machine: nodes in a row, each as far from the next as from the one before.
numa_machine() {
	local cpus=$((8 / nodes)) memory=$((3072 / nodes)) node other

	machine=(--cpus 8)
	for ((node = 0; node < nodes; node++)); do
		machine+=(--qemu -object
			--qemu "memory-backend-ram,id=m$node,size=${memory}M"
			--qemu -numa
			--qemu "node,nodeid=$node,cpus=$((node * cpus))-$((node * cpus + cpus - 1)),memdev=m$node")
		for ((other = 0; other < node; other++)); do
			machine+=(--qemu -numa
				--qemu "dist,src=$other,dst=$node,val=$((11 + 10 * (node - other)))")
		done
	done
}

[ $list = rig ] || numa_machine
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat >"$script" <<EOT
exec sh /tests/guest/run.sh --mqvmm /bin/mqvmm --mqload /bin/mqload \\
	--images /images --guest stock --list $list --slow 2
EOT
rig() {
	"$root/bench/guest/rig.sh" --script "$script" --stock "$images/stock" \
		--file "$mqvmm:bin/mqvmm" --file "$mqload:bin/mqload" \
		--file "$images/stock-vmlinuz:images/stock-vmlinuz" \
		--file "$images/stock-initramfs.gz:images/stock-initramfs.gz" \
		--file "$root/bench/guest/vm.sh:bench/guest/vm.sh" \
		--file "$root/tests/guest:tests/guest" \
		--timeout $limit --silence 210 "${machine[@]}"
}

# A machine that died (125) was let down by its emulator or its own kernel, whose
# last words are above. So was one that stands still (124): a guest in it that does
# is ended by its guard, long before. No test of ours can bring about either, so it
# is started again, twice at the most.
for again in 1 2; do
	status=0
	rig || status=$?
	case $status in
	124 | 125) echo "# the emulated machine died or stood still; again from the start" ;;
	*) exit $status ;;
	esac
done
rig
