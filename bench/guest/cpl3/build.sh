#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh DIR: builds DIR/vmlinux from Debian's linux-source-6.1 with cpl3.patch and kernel.config from beside this script.
# Takes about 8 minutes on 2 cores and 2 GB of disk. Needs gcc, make, bc, patch and apt-get (for `download`; nothing is installed).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); d=$(mkdir -p "$1" && cd "$1" && pwd)
mkdir -p "$d/tools/debs"; cd "$d/tools/debs"
apt-get download flex bison m4 libelf-dev zlib1g-dev libfl2 libsigsegv2 2>/dev/null
for p in *.deb; do dpkg-deb -x "$p" ..; done
ln -sf /usr/lib/x86_64-linux-gnu/libelf.so.1 ../usr/lib/x86_64-linux-gnu/libelf.so.1
cd "$d"; apt-get download linux-source-6.1 2>/dev/null
dpkg-deb -x linux-source-6.1_*.deb src; tar xf src/usr/src/linux-source-6.1.tar.xz
t=$d/tools/usr
export PATH=$t/bin:$PATH C_INCLUDE_PATH=$t/include:$t/include/x86_64-linux-gnu LIBRARY_PATH=$t/lib/x86_64-linux-gnu \
       LD_LIBRARY_PATH=$t/lib/x86_64-linux-gnu BISON_PKGDATADIR=$t/share/bison M4=$t/bin/m4
cd linux-source-6.1; patch -sp1 < "$here/cpl3.patch"; cp "$here/kernel.config" .config; make -s olddefconfig
nice -n 19 make -s -j"$(nproc)" vmlinux
strip -o "$d/vmlinux" vmlinux; ls -l "$d/vmlinux"
