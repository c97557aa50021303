# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What the scripts of the net tier share. Each sets $mqvmm first, sources this,
# prints "ok - NAME" or "not ok - NAME" for each check, and ends with
# "exit $failed". Exit status 77: skipped.
set -u
export LC_ALL=C
failed=0

if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
	echo "skipped: needs root and /dev/net/tun for a namespace"
	exit 77
fi

work=$(mktemp -d)
servers=()
clean_up() {
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

# start_server NAME PROGRAM ARGUMENT...: sets $port to the second word of the
# line that PROGRAM prints when it is ready; what follows is in $work/NAME.out
start_server() {
	local name=$1
	shift
	mkfifo "$work/$name"
	"$@" >"$work/$name" &
	servers+=($!)
	exec {fd}<"$work/$name"
	read -r -t 10 _ port <&"$fd" || { echo "not ok - no server $name"; exit 1; }
	cat <&"$fd" >"$work/$name.out" &
}

# check NAME COMMAND...
check() {
	local name=$1 log=$work/log
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$log" | tail -n 20
		failed=1
	fi
}

# within SECONDS COMMAND...: until COMMAND succeeds
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02 # only to leave the CPU to others
	done
}
