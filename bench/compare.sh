#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# compare.sh --build DIR [--guest cpl3|stock] [--cpus N] [--rounds N] [--seconds S]
#
# The same guest under mqvmm, QEMU with libslirp and QEMU with passt, in rounds
# that interleave them (ABC, CBA, ...), against one server on this host's
# loopback. Prints every sample, then the medians as a Markdown table. DIR is a
# build folder with the guest's images in DIR/guest (./quickstart.sh makes both).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build guest=cpl3 cpus=2 rounds=3 seconds=2

while [ $# -ge 2 ]; do
	case $1 in
	--build) build=$2 ;;
	--guest) guest=$2 ;;
	--cpus) cpus=$2 ;;
	--rounds) rounds=$2 ;;
	--seconds) seconds=$2 ;;
	*) echo "compare.sh: there is no option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done
mqvmm=$build/src/mqvmm mqload=$build/bench/load/mqload images=$build/guest
. "$root/bench/guest/vm.sh"
work=$(mktemp -d)
chmod 711 "$work"
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

make_overlay() {
	mkdir -p "$work/tree/checks"
	cp "$root/bench/guest/compare-rounds.sh" "$work/tree/checks/"
	(cd "$work/tree" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$work/overlay"
	overlay=$work/overlay
}

# run_qemu NETDEV: runs the guest under QEMU in the place of this shell
run_qemu() {
	local machine="-M q35 -cpu host"
	[ "$guest" != cpl3 ] ||
		machine="-M microvm,acpi=on,pcie=on,rtc=on -cpu host,-arch-capabilities"
	# shellcheck disable=SC2086 # words
	exec qemu-system-x86_64 -accel kvm $machine -smp "$cpus" -m 1024 \
		-nodefaults -display none -no-reboot -kernel "$kernel" \
		-initrd "$initrd" -append "console=ttyS0 quiet panic=-1 $kernel_append $parameters" \
		-serial stdio -netdev "$1" -device virtio-net-pci,netdev=n
}

run_passt() {
	local socket=$work/passt/socket
	# Started by root, passt becomes nobody.
	rm -rf "$work/passt"
	mkdir -m 777 "$work/passt"
	passt --quiet --foreground --one-off --socket "$socket" >/dev/null 2>&1 &
	pids="$pids $!"
	for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.05; done
	run_qemu "stream,id=n,server=off,addr.type=unix,addr.path=$socket"
}

# run_system SYSTEM: its lines of mqload, SYSTEM before each, into samples
run_system() {
	parameters="mq.run=compare-rounds mq.port=$port_server mq.seconds=$seconds mq.limit=$((seconds * 7 + 60))"
	(
		case $1 in
		mqvmm) vm_exec "$cpus" 1024 "$parameters" stdio ;;
		libslirp) run_qemu user,id=n ;;
		passt) run_passt ;;
		esac
	) </dev/null >"$work/console" 2>"$work/errors" &
	local vm=$! limit=$((SECONDS + seconds * 7 + 60))
	while kill -0 $vm 2>/dev/null && [ $SECONDS -lt $limit ]; do sleep 0.2; done
	kill $vm 2>/dev/null && echo "$1 timed out" || :
	wait $vm 2>/dev/null || :
	tr -d '\r' <"$work/console" | sed -n "s/^# \(crr\|rr\|up\|down\) /$1 \1 /p" |
		tee -a "$work/samples"
}

medians() {
	awk '
	function field(name,    i, pair) {
		for (i = 1; i <= NF; i++) {
			split($i, pair, "=")
			if (pair[1] == name) return pair[2]
		}
	}
	function add(key, value) { list[key] = list[key] " " value }
	function median(key,    n, v, i, j, t) {
		n = split(list[key], v, " ")
		for (i = 1; i <= n; i++)
			for (j = i + 1; j <= n; j++)
				if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
		return n ? v[int((n + 1) / 2)] : "-"
	}
	{ errors[$1] += field("errors") }
	$2 == "crr" {
		add($1 " crr" field("flows"), int(field("rate")))
		add($1 " p50" field("flows"), int(field("p50_us")))
	}
	$2 == "rr" { add($1 " rr", int(field("p50_us"))) }
	$2 == "up" || $2 == "down" { add($1 " " $2, sprintf("%.1f", field("mbps") / 1000)) }
	END {
		print "| | CRR/s M=1 (p50 µs) | M=2 | M=4 | M=8 | RR p50 µs | up Gbit/s | down Gbit/s | errors |"
		print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
		n = split("mqvmm libslirp passt", system_, " ")
		for (i = 1; i <= n; i++) {
			s = system_[i]
			row = "| " s
			for (m = 1; m <= 8; m *= 2)
				row = row " | " median(s " crr" m) " (" median(s " p50" m) ")"
			print row " | " median(s " rr") " | " median(s " up") " | " \
				median(s " down") " | " errors[s] + 0 " |"
		}
	}' "$work/samples"
}

kernel_setup
make_overlay
initrd_setup
serve server server --port 0 --threads 2
: >"$work/samples"
order="mqvmm libslirp passt"
for round in $(seq "$rounds"); do
	for system in $order; do
		echo "round $round of $rounds: $system" >&2
		run_system "$system"
	done
	order=$(echo "$order" | awk '{ print $3, $2, $1 }')
done
medians
