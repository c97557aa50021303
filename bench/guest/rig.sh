#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rig.sh [OPTION]... --script FILE
#
# Runs a script on genuine KVM where the host has none: QEMU's TCG emulates a
# machine with SVM, Debian's stock cloud kernel with kvm-amd.ko runs there, and
# the script in it, as root, with busybox. Its output is the rig's output and
# its exit status the rig's; 124 when the rig was still running at the end of
# its time, 125 when it did not come to the script or its end. Timing in the
# rig is worth nothing; counts are.
#
#   --script FILE	shell script to run
#   --stock DIR		DIR of stock-kernel.sh
#   --file SRC[:DEST]	a file or folder to bring in, as /DEST (/BASENAME); what
#			a program needs in shared libraries comes with it
#   --cpus N		CPUs of the machine (2)
#   --memory MIB	its memory (3072)
#   --timeout S		how long it may take (300)
#   --silence S		how long it may say nothing (as long as it takes)
#   --qemu ARGUMENT	one more argument for QEMU, such as those of -numa
#
# Called by the guest tests, and by quickstart.sh where there is no usable KVM.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rig_modules="virt/lib/irqbypass.ko arch/x86/kvm/kvm.ko arch/x86/kvm/kvm-amd.ko"
script=
stock=
cpus=2
memory=3072
limit=300
silence=
files=()
qemu=()

fail() {
	echo "rig.sh: $*" >&2
	exit 125
}

while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || fail "'$1' is no option or lacks its value"
	case $1 in
	--script) script=$2 ;;
	--stock) stock=$2 ;;
	--file) files+=("$2") ;;
	--cpus) cpus=$2 ;;
	--memory) memory=$2 ;;
	--timeout) limit=$2 ;;
	--silence) silence=$2 ;;
	--qemu) qemu+=("$2") ;;
	*) fail "there is no option '$1'" ;;
	esac
	shift 2
done
[ -r "$script" ] || fail "cannot read the script '$script'; name it with --script"
[ -r "$stock/vmlinuz" ] || fail "no vmlinuz in '$stock'; make it with stock-kernel.sh"
command -v qemu-system-x86_64 >/dev/null || fail "no qemu-system-x86_64; install qemu-system-x86"

work=$(mktemp -d)
tree=$work/tree
console=
trap '[ -z "$console" ] || kill "$console" 2>/dev/null || :; rm -rf "$work"' EXIT

# bring SRC DEST: copies a file or folder, and the libraries of programs in it.
bring() {
	local library program

	mkdir -p "$tree/$(dirname "$2")"
	cp -rL "$1" "$tree/$2"
	for program in $(find "$tree/$2" -type f -perm -u+x); do
		for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ )]*'); do
			[ ! -e "$tree/$library" ] || continue
			mkdir -p "$tree/$(dirname "$library")"
			cp -L "$library" "$tree/$library"
		done
	done
}

mkdir -p "$tree"/{bin,dev,etc,modules,proc,sys,tmp}
cp /bin/busybox "$tree/bin/"
ln -s busybox "$tree/bin/sh"
cp "$here/rig-init" "$tree/init"
cp "$script" "$tree/script"
chmod 755 "$tree/init"
for module in $rig_modules; do
	cp "$stock/modules/$module" "$tree/modules/"
	basename "$module" >>"$tree/modules/order"
done
for file in "${files[@]}"; do
	source=${file%%:*}
	dest=${file#*:}
	[ "$dest" != "$file" ] || dest=$(basename "$source")
	[ -e "$source" ] || fail "there is no '$source'"
	bring "$source" "$dest"
done
# Not compressed: unpacking would take the emulator longer than loading.
(cd "$tree" && find . | cpio --quiet -R 0:0 -H newc -o) >"$work/initramfs"

# The console shows what the script prints; the last line is kept for its end.
# Fails when nothing came for too long.
show() {
	local line ended= status=125 why=0

	while IFS= read -r -t "${silence:-$limit}" line || { why=$?; false; }; do
		line=${line%$'\r'}
		case $line in
		RIG-BEGIN*) ;;
		RIG-END*)
			status=${line#RIG-END }
			ended=yes
			;;
		*) [ -n "$ended" ] || printf '%s\n' "$line" ;;
		esac
	done
	[ $why -le 128 ] || return 1
	echo "$status" >"$work/status"
}

# khugepaged stood still for ever in the emulator once. Whatever stands still for
# a minute ends the machine, which is told apart from a script that is slow.
steady="transparent_hugepage=never softlockup_panic=1 watchdog_thresh=30"
mkfifo "$work/console"
timeout -k 5 "$limit" qemu-system-x86_64 \
	-accel tcg,thread=multi -cpu max,+svm -smp "$cpus" -m "$memory" \
	-nodefaults -no-reboot -display none -serial stdio \
	-kernel "$stock/vmlinuz" -initrd "$work/initramfs" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off $steady" \
	"${qemu[@]}" </dev/null >"$work/console" 2>"$work/errors" &
console=$!
show <"$work/console" || {
	echo "rig.sh: nothing was said for ${silence:-$limit} s" >&2
	exit 124
}
ended=0
wait "$console" || ended=$?
console=
[ "$ended" != 124 ] || { echo "rig.sh: still running after $limit s" >&2; exit 124; }
status=$(cat "$work/status")
[ "$status" != 125 ] || { cat "$work/errors" >&2; fail "the machine ended (status $ended) without the script's end"; }
exit "$status"
