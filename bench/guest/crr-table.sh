#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# crr-table.sh --mqvmm FILE --mqload FILE --images DIR --guest cpl3|stock
#              [--cpus N] [--memory MIB] [--seconds S] [--up S] [--vmm mqvmm|qemu]
#
# Boots a guest with one queue pair per CPU and prints a table of its CRR
# (connect, request, response, close) with 1, 2, 4 and 8 flows against a server
# on the loopback of the machine that it runs on, beside the same without a
# guest, and what each queue pair carried. Runs natively, and in the nested rig
# with busybox instead of bash.
#
# Exit status: 0; 1 when a measurement failed or the guest came up and failed; 3
# when the guest did not come up within --up seconds (20).
set -u
here=$(cd "$(dirname "$0")" && pwd)
mqvmm= mqload= images= guest= cpus=2 memory=512 seconds=3 up_s=20 chosen=mqvmm

while [ $# -ge 2 ]; do
	case $1 in
	--mqvmm) mqvmm=$2 ;;
	--mqload) mqload=$2 ;;
	--images) images=$2 ;;
	--guest) guest=$2 ;;
	--cpus) cpus=$2 ;;
	--memory) memory=$2 ;;
	--seconds) seconds=$2 ;;
	--up) up_s=$2 ;;
	--vmm) chosen=$2 ;;
	*) echo "crr-table.sh: there is no option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done

. "$here/vm.sh"
vmm=$chosen
work=$(mktemp -d)
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# field NAME LINE: the value of NAME=VALUE in a line of mqload.
field() {
	echo "$2" | sed -n "s/.* $1=\([^ ]*\).*/\1/p"
}

# row FLOWS LINE: rate, p50, p99 and errors of one line of mqload.
row() {
	printf '%9.0f %8.0f %8.0f %7s' "$(field rate "$1")" \
		"$(field p50_us "$1")" "$(field p99_us "$1")" "$(field errors "$1")"
}

measure_host() {
	for flows in 1 2 4 8; do
		"$mqload" crr --to "127.0.0.1:$port_server" --flows $flows \
			--seconds "$host_seconds" >"$work/host.$flows"
	done
}

# Reads the guest's console up to its end; sets state to down, up or done.
read_console() {
	state=down
	while IFS= read -r -t "$limit_s" text; do
		text=${text%"$cr"}
		case $text in
		MQ-BEGIN*)
			state=up
			limit_s=$((seconds * 4 + 60))
			;;
		"# crr flows="*)
			flows=$(field flows "$text")
			echo "$text" >"$work/guest.$flows"
			echo "  M=$flows done" >&2
			;;
		"# vector "*) echo "${text#"# vector "}" >>"$work/vectors" ;;
		MQ-FAIL*) echo "  the guest says: ${text#MQ-FAIL }" >&2 ;;
		MQ-END*)
			state=done
			return
			;;
		esac
	done
}

measure_guest() {
	parameters="mq.run=crr-rounds mq.port=$port_server mq.seconds=$seconds mq.limit=$((seconds * 4 + 60))"
	: >"$work/stats"
	[ $vmm != mqvmm ] || vmm_extra="--stats $work/stats"
	mkfifo "$work/console"
	(vm_exec "$cpus" "$memory" "$parameters" stdio) </dev/null \
		>"$work/console" 2>"$work/errors" &
	vm=$!
	pids="$pids $vm"
	# A VMM that neither speaks nor ends must not hold us.
	exec 3<>"$work/console"
	limit_s=$up_s
	read_console <&3
	[ $state = done ] || kill $vm 2>/dev/null
	wait $vm
	exec 3<&-
}

# shard_value SHARD NAME: a counter out of --stats.
shard_value() {
	tr -d '\n ' <"$work/stats" | tr '{' '\n' |
		sed -n "s/.*\"shard\":$1,.*\"$2\":\([0-9]*\).*/\1/p" | head -n 1
}

# vector_count PAIR input|output
vector_count() {
	awk -v name="-$2.$1\$" '$1 ~ name { print $2 }' "$work/vectors"
}

print_tables() {
	echo
	echo "CRR from a $guest guest under $vmm, $cpus vCPUs, $seconds s per row"
	echo
	printf '%3s %35s    %35s\n' "" "---------------- guest -------------" \
		"------------- host direct ----------"
	printf '%3s %9s %8s %8s %7s    %9s %8s %8s %7s\n' M \
		CRR/s "p50 us" "p99 us" errors CRR/s "p50 us" "p99 us" errors
	for flows in 1 2 4 8; do
		printf '%3d %s    %s\n' $flows "$(row "$(cat "$work/guest.$flows")")" \
			"$(row "$(cat "$work/host.$flows")")"
	done
	echo
	echo "queue pair       flows   interrupts (receive)   interrupts (transmit)"
	pair=0
	while [ $pair -lt "$cpus" ]; do
		printf '%10d %11s %22s %23s\n' $pair "$(shard_value $pair flows_made)" \
			"$(vector_count $pair input)" "$(vector_count $pair output)"
		pair=$((pair + 1))
	done
}

cr=$(printf '\r')
host_seconds=$seconds
[ "$host_seconds" -le 2 ] || host_seconds=2
kernel_setup
initrd_setup
serve server server --threads 2
echo "  host direct: 4 rounds of $host_seconds s" >&2
measure_host
echo "  booting the guest; 4 rounds of $seconds s" >&2
measure_guest
case $state in
down)
	echo "  the guest did not come up in $up_s s" >&2
	cat "$work/errors" >&2
	exit 3
	;;
up)
	echo "  the guest came up, but did not finish" >&2
	cat "$work/errors" >&2
	exit 1
	;;
esac
for flows in 1 2 4 8; do
	[ -s "$work/guest.$flows" ] || exit 1
done
print_tables
