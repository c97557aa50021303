#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh --mqvmm FILE --mqload FILE --images DIR --guest cpl3|stock [OPTION]...
#
# Runs the guest tier on this machine's KVM: boots guests and has them check
# themselves (checks/). Prints TAP; the last line is "N passed, N failed, N
# skipped", and the exit status tells whether all passed.
#
#   --list native|rig	which list (native)
#   --vmm mqvmm|qemu	only the tests of mqvmm, or only the control run (both)
#   --slow N		give everything N times as long (1)
#   --verbose		show the console of every guest
set -u
here=$(cd "$(dirname "$0")" && pwd)
mqvmm= mqload= images= guest= list=native only= slow=1 verbose=

usage() {
	echo "run.sh: $*" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--verbose) verbose=yes; shift; continue ;;
	esac
	[ $# -ge 2 ] || usage "'$1' is no option or lacks its value"
	case $1 in
	--mqvmm) mqvmm=$2 ;;
	--mqload) mqload=$2 ;;
	--images) images=$2 ;;
	--guest) guest=$2 ;;
	--list) list=$2 ;;
	--vmm) only=$2 ;;
	--slow) slow=$2 ;;
	*) usage "there is no option '$1'" ;;
	esac
	shift 2
done
[ -x "$mqload" ] || usage "no program '$mqload'; name mqload with --mqload"
[ -x "$mqvmm" ] || [ "$only" = qemu ] || usage "no program '$mqvmm'; name mqvmm with --mqvmm"
[ -r "$images/$guest-initramfs.gz" ] || usage "no images of '$guest' in '$images'; see bench/guest"
[ -r "$here/list-$list.sh" ] || usage "there is no list '$list'"

. "$here/../../bench/guest/vm.sh"
. "$here/lib.sh"
. "$here/list-$list.sh"
work=$(mktemp -d)
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

kernel_setup
services_start
if [ "$only" != mqvmm ] && [ "$list" = native ]; then
	if command -v qemu-system-x86_64 >/dev/null; then
		control_list
	else
		skip "control run under QEMU" "qemu-system-x86_64 is not installed"
	fi
fi
[ "$only" = qemu ] || mqvmm_list
summary
