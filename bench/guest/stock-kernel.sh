#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# stock-kernel.sh DIR: puts Debian's cloud kernel, unpacked and not installed,
# into DIR: DIR/vmlinuz and DIR/modules (its kernel/ folder). The package is
# downloaded once and kept in DIR. Needs apt-get with a package list.
set -euo pipefail

fail() {
	echo "stock-kernel.sh: $*" >&2
	exit 1
}

[ $# = 1 ] || fail "usage: stock-kernel.sh DIR"
mkdir -p "$1"
cd "$1"

package=$(apt-cache depends linux-image-cloud-amd64 |
	sed -n 's/.*Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1)
if [ -z "$package" ]; then
	# Without a package list, what was downloaded earlier will do.
	[ ! -e vmlinuz ] || exit 0
	fail "apt knows no linux-image-cloud-amd64; run 'apt-get update' first"
fi
if [ -e vmlinuz ] && [ "$(cat package 2>/dev/null)" = "$package" ]; then
	exit 0
fi

rm -rf download
mkdir download
(cd download && timeout 240 apt-get -qq -o APT::Sandbox::User=root download "$package") ||
	fail "cannot download $package; is the network there?"
rm -rf unpacked modules vmlinuz package
dpkg-deb -x download/"$package"_*.deb unpacked
mv unpacked/boot/vmlinuz-* vmlinuz
mv unpacked/lib/modules/*/kernel modules
rm -rf unpacked download
echo "$package" >package
