#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# programs.sh MQVMM MQLOAD GROUP: programs that people use, through mqvmm netns,
# against servers on the host's side; programs/GROUP.sh tells which. The host's
# side is a namespace of the script's own, with a loopback interface and 192.0.2.1
# on it: every port is free there. Needs root.
mqvmm=$1 mqload=$2 group=$3

if [ "$(id -u)" = 0 ] && [ -z "${PROGRAMS_SH:-}" ]; then
	PROGRAMS_SH=1 exec unshare --net --mount --propagation private "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/sbin:/sbin
chmod 755 "$work"
ip link set lo up
ip address add 192.0.2.1/32 dev lo
# Whoever closes first keeps the port for a minute: let there be enough.
more_ports="echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range"
eval "$more_ports"
ulimit -n 16384

# need PROGRAM...
need() {
	for program; do
		command -v "$program" >/dev/null && continue
		echo "skipped: there is no $program"
		exit 77
	done
}

# guest COMMAND...: behind the NAT, 50 seconds at most
guest() {
	timeout -k 5 50 "$mqvmm" netns --queues 2 "${options[@]}" -- "$@"
}
options=()

# guest_shell COMMANDS: the same, for the shell
guest_shell() {
	guest bash -euc "$1"
}

# listens PROTOCOL PORT: t or u
listens() {
	[ -n "$(ss -Hln"$1" "sport = :$2")" ]
}

# serve PROTOCOL PORT PROGRAM ARGUMENT...: returns when PROGRAM listens
serve() {
	local protocol=$1 port=$2
	shift 2
	"$@" >"$work/server.log" 2>&1 &
	servers+=($!)
	within 10 listens "$protocol" "$port" ||
		{ cat "$work/server.log"; echo "not ok - no $1"; exit 1; }
}

# numbers BYTES: text that does not repeat itself
numbers() {
	seq 100000000 999999999 2>/dev/null | head -c "$1"
}
export -f numbers

. "$(dirname "$0")/programs/$group.sh"
exit $failed
