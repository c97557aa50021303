#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# build-images.sh --tools DIR:DIR OUT [cpl3] [stock]
#
# Makes the guest images in OUT, each only when what goes into it has changed:
#
#   cpl3-vmlinux, cpl3-initramfs.gz	for KVM that runs only level 3 natively
#   stock-vmlinuz, stock-initramfs.gz	Debian's cloud kernel, unmodified
#   curl.gz				curl and its libraries, to append to either
#
# --tools names the folders that hold mqload and set-queues. The same inputs
# give the same bytes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checks=$here/../../tests/guest/checks

# In the order in which they have to be loaded.
stock_modules="net/core/failover.ko drivers/net/net_failover.ko
	drivers/virtio/virtio_ring.ko drivers/virtio/virtio.ko
	drivers/virtio/virtio_pci_legacy_dev.ko
	drivers/virtio/virtio_pci_modern_dev.ko drivers/virtio/virtio_pci.ko
	drivers/net/virtio_net.ko"

fail() {
	echo "build-images.sh: $*" >&2
	exit 1
}

find_tool() {
	local dir
	local IFS=:

	for dir in $tools; do
		[ ! -x "$dir/$1" ] || { echo "$dir/$1"; return; }
	done
	fail "no $1 in '$tools'; build it and name its folder with --tools"
}

# busybox from Debian's busybox-static: the plain package is not static.
find_busybox() {
	local path=/bin/busybox

	[ -x "$path" ] || fail "no $path; install the package busybox-static"
	! ldd "$path" >/dev/null 2>&1 ||
		fail "$path is not static; install the package busybox-static"
	echo "$path"
}

# pack FOLDER IMAGE: the folder as cpio.gz, without times and owners.
pack() {
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet --null --reproducible -R 0:0 -H newc -o) | gzip -9n >"$2.new"
	mv "$2.new" "$2"
}

# is_current IMAGE INPUT...: true when IMAGE was made from the same inputs.
is_current() {
	local image=$1 sum

	shift
	sum=$(cat "$0" "$@" | sha256sum)
	[ ! -e "$image" ] || [ "$sum" != "$(cat "$image.inputs" 2>/dev/null)" ] || return 0
	echo "$sum" >"$work/inputs"
	return 1
}

# Called after an image is whole, so that an interrupted run is done again.
mark_current() {
	mv "$work/inputs" "$1.inputs"
}

# What all guests have in common, in $1.
base_tree() {
	mkdir -p "$1"/{bin,checks,dev,etc,proc,root,run,sys,tmp}
	cp "$busybox" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	cp "$mqload" "$1/bin/mqload"
	cp "$set_queues" "$1/bin/set-queues"
	cp "$exit_cost" "$1/bin/exit-cost"
	strip "$1/bin/mqload" "$1/bin/set-queues" "$1/bin/exit-cost"
	cp "$here/init" "$here/udhcpc.script" "$1/etc/"
	mv "$1/etc/init" "$1/init"
	chmod 755 "$1/init" "$1/etc/udhcpc.script"
	cp "$checks"/*.sh "$here/crr-rounds.sh" "$here/exit-cost.sh" "$1/checks/"
}

build_cpl3() {
	local image=$out/cpl3-initramfs.gz

	if ! is_current "$out/cpl3-vmlinux" "$here/cpl3/vmlinux.xz"; then
		(cd "$here/cpl3" && grep vmlinux.xz SHA256SUMS | sha256sum --quiet -c) ||
			fail "bench/guest/cpl3/vmlinux.xz is damaged; check it out again"
		xz -dc "$here/cpl3/vmlinux.xz" >"$out/cpl3-vmlinux.new"
		mv "$out/cpl3-vmlinux.new" "$out/cpl3-vmlinux"
		mark_current "$out/cpl3-vmlinux"
	fi
	is_current "$image" "${common[@]}" && return
	base_tree "$work/cpl3"
	pack "$work/cpl3" "$image"
	mark_current "$image"
}

build_stock() {
	local image=$out/stock-initramfs.gz module

	"$here/stock-kernel.sh" "$out/stock"
	ln -sf stock/vmlinuz "$out/stock-vmlinuz"
	is_current "$image" "${common[@]}" "$out/stock/package" && return
	base_tree "$work/stock"
	mkdir "$work/stock/modules"
	for module in $stock_modules; do
		cp "$out/stock/modules/$module" "$work/stock/modules/"
		basename "$module" >>"$work/stock/modules/order"
	done
	pack "$work/stock" "$image"
	mark_current "$image"
}

# An image that a kernel unpacks over the other when both are concatenated.
build_curl() {
	local image=$out/curl.gz curl library

	curl=$(command -v curl) || fail "no curl; install the package curl"
	is_current "$image" "$curl" /etc/debian_version && return
	mkdir -p "$work/curl/usr/bin"
	cp "$curl" "$work/curl/usr/bin/"
	for library in $(ldd "$curl" | grep -o '/[^ ]*'); do
		mkdir -p "$work/curl$(dirname "$library")"
		cp -L "$library" "$work/curl$library"
	done
	pack "$work/curl" "$image"
	mark_current "$image"
}

tools=
[ "${1-}" != --tools ] || { tools=${2-}; shift 2; }
[ $# -ge 1 ] || fail "usage: build-images.sh --tools DIR:DIR OUT [cpl3] [stock]"
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
mqload=$(find_tool mqload)
set_queues=$(find_tool set-queues)
exit_cost=$(find_tool exit-cost)
busybox=$(find_busybox)
common=("$here/init" "$here/udhcpc.script" "$mqload" "$set_queues" "$exit_cost" "$busybox"
	"$here/crr-rounds.sh" "$checks"/*.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for kind in "${@:-cpl3}"; do
	case $kind in
	cpl3) build_cpl3 ;;
	stock) build_stock ;;
	*) fail "there is no guest '$kind': cpl3 or stock" ;;
	esac
done
build_curl
