#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rig.sh --mqvmm FILE --mqload FILE --images DIR: runs the guest tier's short
# list with Debian's own kernel in the nested rig; output as run.sh's.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mqvmm= mqload= images=

while [ $# -ge 2 ]; do
	case $1 in
	--mqvmm) mqvmm=$2 ;;
	--mqload) mqload=$2 ;;
	--images) images=$2 ;;
	*) echo "rig.sh: there is no option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat >"$script" <<'EOT'
exec sh /tests/guest/run.sh --mqvmm /bin/mqvmm --mqload /bin/mqload \
	--images /images --guest stock --list rig --slow 2
EOT
"$root/bench/guest/rig.sh" --script "$script" --stock "$images/stock" \
	--file "$mqvmm:bin/mqvmm" --file "$mqload:bin/mqload" \
	--file "$images/stock-vmlinuz:images/stock-vmlinuz" \
	--file "$images/stock-initramfs.gz:images/stock-initramfs.gz" \
	--file "$root/bench/guest/vm.sh:bench/guest/vm.sh" \
	--file "$root/tests/guest:tests/guest" --timeout 900
