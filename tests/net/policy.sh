#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# policy.sh MQVMM MQLOAD: what --net's rules deny is denied, what they do not
# is not, and scans and floods leave connections alone that are in use. The
# world outside is a namespace in which 198.51.100.0/24 never answers. Needs
# root. Exit status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2
if [ -z "${POLICY_WORLD-}" ] && [ "$(id -u)" = 0 ]; then
	POLICY_WORLD=1 exec unshare --net "$0" "$@"
fi
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
# A TUN that nobody reads swallows everything.
ip link set lo up &&
	ip tuntap add dev hole mode tun && ip link set hole up &&
	ip address add 198.51.100.1/24 dev hole || exit 1
sysctl -qw net.ipv4.ping_group_range="0 2147483647"

start_server load "$mqload" server --port 0

# guest OPTIONS COMMAND: run a line of shell behind the NAT
guest() {
	port=$port mqload=$mqload timeout -k 5 60 \
		"$mqvmm" netns --queues 2 --stats "$work/stats" --net "$1" -- \
		bash -c "$2"
}

# counted NAME: the sum of the shards' counters
counted() {
	grep -o "\"$1\":[0-9]*" "$work/stats" | cut -d: -f2 | paste -sd+ | bc
}

tcp='timeout 5 bash -c ": </dev/tcp/10.0.2.2/$port"'
udp='"$mqload" udp --to 10.0.2.2:$port --count 1 --timeout 2'
icmp='ping -c 1 -W 2 10.0.2.2'

all_pass() { # OPTIONS
	guest "$1" "$tcp && $udp && $icmp"
}

all_are_denied() { # OPTIONS
	guest "$1" "! $tcp && ! $udp && ping -c 1 -W 2 10.0.2.2 |
		grep -q filtered" && [ "$(counted policy_denied)" -ge 3 ]
}

denial_is_logged_once() {
	guest deny=10.0.2.2 "! $tcp; ! $tcp; true" 2>"$work/told" &&
		[ "$(grep -c 'deny=10.0.2.2' "$work/told")" = 1 ]
}

one_is_denied() { # PROTOCOL OTHER OTHER
	guest "deny=$1:10.0.2.2" "! ${!1} && ${!2} && ${!3}"
}

host_by_another_name() {
	guest engine=auto 'for to in 64:ff9b::7f00:1 fe80::1%eth0 ::2; do
		timeout 5 curl -s --max-time 3 "http://[$to]:$port/1" && exit 1
	done; true'
}

# connection_outlives OPTIONS FLOOD: opened before, and used behind it
connection_outlives() {
	guest "$1" 'exec 3<>/dev/tcp/10.0.2.2/$port || exit
		'"$2"'
		printf "GET /1000000 HTTP/1.0\r\n\r\n" >&3
		[ "$(timeout 10 cat <&3 | wc -c)" -ge 1000000 ] &&
			timeout 5 bash -c ": </dev/tcp/10.0.2.2/$port"'
}

transfer_outlives() { # SCAN
	guest engine=auto '"$mqload" down --to 10.0.2.2:$port --flows 2 \
			--count 512M --verify & '"$1"' && wait $!'
}

third_connection_is_refused() {
	guest tcp-flows=2 'exec 3<>/dev/tcp/10.0.2.2/$port 4<>/dev/tcp/10.0.2.2/$port
		! : </dev/tcp/10.0.2.2/$port' && [ "$(counted refused_limit)" -ge 1 ]
}

# buffers_of_the_host: what its kernel may hold for the connection to the server,
# bytes: receive and send buffer, from ss(8)'s skmem:(r0,rb32768,t0,tb32768,...)
buffers_of_the_host() {
	ss -tnmHO state established "dport = :$port" | tr '(,)' '\n' |
		sed -n 's/^[rt]b\([0-9]*\)$/\1/p' | paste -sd+ | bc
}

kernel_buffers_are_held_to() { # BYTES
	local ok=1
	mkfifo "$work/opened" "$work/seen" || return 1
	guest "flow-memory=$1" "exec 3<>/dev/tcp/10.0.2.2/$port
		echo >$work/opened; read -rt 10 <$work/seen" &
	read -rt 10 <"$work/opened" && [ "$(buffers_of_the_host)" = "$1" ] && ok=0
	echo "$(buffers_of_the_host) bytes" | tee "$work/seen"
	wait $! && return $ok
}

streams_are_whole_in() { # BYTES
	guest "flow-memory=$1" '"$mqload" down --to 10.0.2.2:$port --flows 4 \
			--count 16M --verify &&
		"$mqload" up --to 10.0.2.2:$port --flows 4 --count 16M --verify'
}

syn_flood_is_contained() {
	connection_outlives half-open=500 \
		'hping3 -q -S -p 80 -i u50 -c 10000 198.51.100.7 >/dev/null' &&
		[ "$(counted tcp_flows)" -ge 10000 ] &&
		[ "$(counted flows_evicted)" -ge 9000 ]
}

udp_flood_is_contained() {
	(
		ulimit -n 2000
		connection_outlives engine=auto \
			'hping3 -q --udp -p 80 -i u50 -c 10000 198.51.100.7 >/dev/null'
	) && [ "$(counted flows_evicted)" -ge 7000 ]
}

check "without rules the gateway is reached" all_pass engine=auto
check "rules for others let the gateway be" all_pass deny=192.0.2.0/24
for rule in 10.0.2.2 10.0.2.2/32 127.0.0.0/8 10.0.0.0/8 any; do
	check "deny=$rule denies the gateway" all_are_denied "deny=$rule"
done
check "default=deny denies the gateway" all_are_denied default=deny
check "allow before deny opens it" all_pass allow=10.0.2.2,deny=any
check "denial is logged once, with its rule" denial_is_logged_once
check "TCP alone is denied" one_is_denied tcp udp icmp
check "UDP alone is denied" one_is_denied udp tcp icmp
check "ICMP alone is denied" one_is_denied icmp tcp udp
check "IPv6 gateway is denied by either name" guest 'deny=[::1]' \
	'! curl -s --max-time 3 "http://[fec0::2]:$port/1"'
check "the host has no other name" host_by_another_name
check "a connection above tcp-flows= is refused" third_connection_is_refused
check "flow-memory= bounds the kernel's buffers" kernel_buffers_are_held_to 65536
check "streams are whole in little memory" streams_are_whole_in 16384
if command -v hping3 >/dev/null; then
	check "SYN flood leaves a connection alone" syn_flood_is_contained
	check "UDP flood leaves a connection alone" udp_flood_is_contained
else
	echo "skipped: no hping3"
fi
if command -v nmap >/dev/null; then
	check "nmap -sT leaves a transfer alone" transfer_outlives \
		'nmap -n -Pn -sT -T5 -p 1-3000 10.0.2.2 >/dev/null'
	check "nmap -sU leaves a transfer alone" transfer_outlives \
		'nmap -n -Pn -sU -T5 --max-retries 0 -p 1-1000 10.0.2.2 >/dev/null'
else
	echo "skipped: no nmap"
fi
exit $failed
