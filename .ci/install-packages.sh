#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what packages.txt names and the machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
while read -r package; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
		grep -q 'ok installed' || missing+=("$package")
done < <(grep -v '^#' packages.txt)
[ ${#missing[@]} -gt 0 ] || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "Installing ${missing[*]}"
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -qq \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" </dev/null
}
apt update
apt install -y --no-install-recommends "${missing[@]}" >/dev/null
