#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# self_connect.sh MQVMM MQLOAD: where nobody listens on a port that the host's
# kernel chooses source ports from, a connection to it is refused, though the
# host's own would meet itself; one to a listener there is made. Needs root. Exit
# status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2
if [ -z "${SELF_WORLD-}" ] && [ "$(id -u)" = 0 ]; then
	SELF_WORLD=1 exec unshare --net "$0" "$@"
fi
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
ip link set lo up || exit 1
# A port is free again at once.
echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets

# ports FIRST LAST: that the kernel chooses from
ports() {
	echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range
}

# connect ENGINE ADDRESS PORT TIMES: is one of so many connections made?
connect() {
	timeout -k 5 60 "$mqvmm" netns --queues 2 --net "engine=$1" \
		--stats "$work/stats" -- bash -c '
			for i in $(seq "$3"); do
				(: <"/dev/tcp/$1/$2") 2>/dev/null && exit 0
			done
			exit 1' - "$2" "$3" "$4"
}

nobody_answers() { # ENGINE ADDRESS PORT TIMES
	! connect "$@" && grep -q '"tcp_resets":[1-9]' "$work/stats"
}

for engine in io_uring epoll; do
	ports 40000 40000
	for address in 10.0.2.2 fec0::2; do
		check "$engine: $address does not answer for itself" \
			nobody_answers $engine $address 40000 20
	done
	# Where the kernel keeps a socket to a window of ports.
	ports 40000 40511
	check "$engine: nor does it where ports come by windows" \
		nobody_answers $engine 10.0.2.2 40010 1000
done
ports 32768 60999
start_server load "$mqload" server --port 0
check "who listens on such a port is reached" connect epoll 10.0.2.2 "$port" 1
exit $failed
