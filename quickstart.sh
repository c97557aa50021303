#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# quickstart.sh [--guest stock|cpl3|rig] [--seconds S]
#
# From a fresh clone on Debian 12 to a table of real traffic: installs what is
# missing, builds, boots a Linux guest with one queue pair per vCPU and measures
# connections from it to a server on this host. Can be run again at any time;
# everything that it makes is in build/.
set -euo pipefail
cd "$(dirname "$0")"

build=$PWD/build
wanted=
seconds=3
packages_build="gcc libc6-dev cmake ninja-build pkg-config liburing-dev
	liburcu-dev libnuma-dev acpica-tools"
packages_guest="busybox-static cpio xz-utils curl"
packages_rig="qemu-system-x86"
log=$(mktemp)
step_pid=
trap '[ -z "$step_pid" ] || kill "$step_pid" 2>/dev/null || :; rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP

fail() {
	echo "quickstart.sh: $*" >&2
	exit 1
}

usage() {
	sed -n '3,9s/^# \{0,1\}//p' "$0"
	exit "$1"
}

# step WHAT COMMAND...: runs a command, shows how long it takes, keeps its
# output for the case that it fails.
step() {
	local what=$1 start=$SECONDS beat=10 status=0

	shift
	[ ! -t 1 ] || beat=1
	printf '%s ...' "$what"
	"$@" >"$log" 2>&1 &
	step_pid=$!
	while ! timeout "$beat" tail --pid=$step_pid -f /dev/null; do
		if [ -t 1 ]; then
			printf '\r%s ... %d s' "$what" $((SECONDS - start))
		else
			printf ' %d s' $((SECONDS - start))
		fi
	done
	wait $step_pid || status=$?
	step_pid=
	if [ $status != 0 ]; then
		printf ' failed\n'
		tail -n 30 "$log" >&2
		fail "$what failed; the lines above say why"
	fi
	[ ! -t 1 ] || printf '\r%s ...' "$what"
	printf ' done in %d s\n' $((SECONDS - start))
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_install() {
	as_root apt-get -qq update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
	local package
	local missing=()

	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		fail "these Debian packages are needed: ${missing[*]}"
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		fail "run as root, or install sudo, or install: ${missing[*]}"
	[ "$(id -u)" = 0 ] || sudo -v
	step "Installing ${missing[*]}" apt_install "${missing[@]}"
}

configure_and_build() {
	cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMQVMM_TESTS=OFF
	ninja -C "$build" mqvmm mqload set-queues exit-cost
}

# Sets guest to what runs here, and why.
choose_guest() {
	local verdict

	guest=$wanted
	why="asked for with --guest"
	[ -z "$guest" ] || return 0
	verdict=$("$mqvmm" doctor --json 2>/dev/null |
		sed -n 's/.*"guest": *"\([a-z0-9]*\)".*/\1/p')
	case $verdict in
	stock)
		guest=stock
		why="KVM here runs unmodified kernels at full speed"
		;;
	cpl3)
		guest=cpl3
		why="KVM here runs only privilege level 3 natively, so a kernel made for that is booted"
		;;
	*)
		guest=rig
		why="there is no usable KVM here, so mqvmm runs in an emulated machine that has one"
		;;
	esac
}

make_images() {
	local kind=$guest

	[ "$kind" != rig ] || kind=stock
	if [ $kind = stock ] && ! apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1; then
		step "Fetching Debian's package lists" as_root apt-get -qq update
	fi
	step "Making the $kind guest's images" bench/guest/build-images.sh \
		--tools "$build/bench/load:$build/bench/guest" "$images" $kind
}

measure_native() {
	local cpus

	cpus=$(nproc)
	[ "$cpus" -ge 2 ] || cpus=2
	[ "$cpus" -le 8 ] || [ "$guest" != cpl3 ] || cpus=8
	bench/guest/crr-table.sh --mqvmm "$mqvmm" --mqload "$mqload" \
		--images "$images" --guest "$guest" --cpus "$cpus" --seconds "$seconds"
}

measure_rig() {
	cat >"$log" <<'SCRIPT'
exec sh /guest/crr-table.sh --mqvmm /bin/mqvmm --mqload /bin/mqload \
	--images /images --guest stock --cpus 2 --seconds 2 --up 90
SCRIPT
	echo "  in the rig, where timing is worth nothing: it shows that it works"
	bench/guest/rig.sh --script "$log" --stock "$images/stock" \
		--file "$mqvmm:bin/mqvmm" --file "$mqload:bin/mqload" \
		--file "$images/stock-vmlinuz:images/stock-vmlinuz" \
		--file "$images/stock-initramfs.gz:images/stock-initramfs.gz" \
		--file bench/guest/vm.sh:guest/vm.sh \
		--file bench/guest/crr-table.sh:guest/crr-table.sh --timeout 150
}

measure() {
	local status=0

	make_images
	echo "Measuring with the $guest guest: $why"
	if [ "$guest" != rig ]; then
		measure_native || status=$?
		[ $status != 3 ] || [ -n "$wanted" ] || fall_back
		return $status
	fi
	measure_rig
}

fall_back() {
	guest=rig
	why="the other guest did not come up on this processor"
	need_packages $packages_rig
	measure
	exit 0
}

while [ $# -gt 0 ]; do
	case $1 in
	--help) usage 0 ;;
	--guest) wanted=${2-} ;;
	--seconds) seconds=${2-} ;;
	*) echo "quickstart.sh: there is no option '$1'" >&2; usage 2 >&2 ;;
	esac
	shift $(($# > 1 ? 2 : 1))
done
case $wanted in
"" | stock | cpl3 | rig) ;;
*) fail "there is no guest '$wanted': stock, cpl3 or rig" ;;
esac
case $seconds in
"" | *[!0-9]* | 0) fail "--seconds takes a whole number from 1" ;;
esac

mqvmm=$build/src/mqvmm
mqload=$build/bench/load/mqload
images=$build/guest
need_packages $packages_build $packages_guest
step "Building" configure_and_build
choose_guest
[ "$guest" != rig ] || need_packages $packages_rig
measure
