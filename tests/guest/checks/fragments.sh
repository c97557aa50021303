# SPDX-License-Identifier: BSD-3-Clause
# The longest datagrams come and go in fragments, and so do pings.
. /checks/lib.sh

# echoed ARGUMENT...: every datagram comes back, in one of three runs: a host
# that is short of time may drop one at a socket's buffer.
echoed() {
	for _ in 1 2 3; do
		mqload udp --to "$host:$mq_port" --timeout 3 "$@" && return
	done
	fail "mqload udp $* had errors three times"
}

echoed --flows 1 --count 60 --size 65507
echoed --flows 4 --count 400 --size 1473
ping -c 2 -i 0.2 -s 8000 -W 2 $host | tee /run/ping
grep -q ' 0% packet loss' /run/ping || fail "lost pings"
