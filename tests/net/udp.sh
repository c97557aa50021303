#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# udp.sh MQVMM MQLOAD BOUNCE ENGINE: datagrams and ICMP through the NAT, judged by
# programs of others, in an Internet of three namespaces:
#
#	guest -NAT- host 198.18.1.1 --- 198.18.1.2 router 198.18.2.1 --- server
#
# with two addresses of the server's, 198.18.2.2 and .3, as RFC 5780 wants, and
# the same in IPv6. Needs root. Exit status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2 bounce=$3 engine=$4
. "$(dirname "$0")/lib.sh"
net=mqvmm$$
drop_internet() {
	clean_up
	for place in host router server; do ip netns del $net-$place 2>/dev/null; done
}
trap drop_internet EXIT

at_host=(ip netns exec "$net-host")
at_router=(ip netns exec "$net-router")
at_server=(ip netns exec "$net-server")

# address PLACE DEVICE ADDRESS...
address() {
	local place=$1 device=$2 one
	shift 2
	for one in "$@"; do
		case $one in
		*:*) ip -n $net-$place addr add "$one" dev "$device" nodad ;;
		*) ip -n $net-$place addr add "$one" dev "$device" ;;
		esac
	done
	ip -n $net-$place link set "$device" up
}

make_internet() {
	local place
	for place in host router server; do
		ip netns add $net-$place || return 1
		ip -n $net-$place link set lo up
		# Errors are what this is about.
		ip netns exec $net-$place sysctl -qw net.ipv4.icmp_ratelimit=0 \
			net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=10000 \
			net.ipv4.ping_group_range='0 2147483647'
	done
	ip link add near netns $net-host type veth peer name near netns $net-router
	ip link add far netns $net-server type veth peer name far netns $net-router
	address host near 198.18.1.1/24 2001:db8:1::1/64
	address router near 198.18.1.2/24 2001:db8:1::2/64
	address router far 198.18.2.1/24 2001:db8:2::1/64
	address server far 198.18.2.2/24 198.18.2.3/24 2001:db8:2::2/64
	"${at_router[@]}" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n $net-host route add default via 198.18.1.2
	ip -n $net-host route add default via 2001:db8:1::2
	ip -n $net-server route add default via 198.18.2.1
	ip -n $net-server route add default via 2001:db8:2::1
}

start_stun() {
	"${at_server[@]}" turnserver -n --stun-only --no-cli --no-tls --no-dtls \
		--listening-ip 198.18.2.2 --listening-ip 198.18.2.3 \
		--userdb "$work/turn" --pidfile "$work/turn.pid" \
		--log-file stdout --simple-log >"$work/turn.log" 2>&1 &
	servers+=($!)
	within 10 stun_answers || { echo "not ok - no STUN server"; exit 1; }
}

stun_answers() {
	"${at_host[@]}" timeout 2 turnutils_natdiscovery -m 198.18.2.2 2>&1 |
		grep -q 'Other addr'
}

# guest OPTION... -- COMMAND: run COMMAND behind the NAT, 60 seconds at most
guest() {
	"${at_host[@]}" timeout -k 5 60 "$mqvmm" netns --queues 2 --net "engine=$engine" "$@"
}

# says TEXT COMMAND...: COMMAND's output has TEXT
says() {
	local text=$1
	shift
	"$@" >"$work/said" 2>&1
	cat "$work/said"
	grep -q -- "$text" "$work/said"
}

# The first datagram may outgrow what waits for the gateway's ARP answer.
echo_datagrams() { # MTU SIZE TO
	guest --net "mtu=$1" -- bash -c '
		to=${1%:*} to=${to#[}
		ping -q -c 1 -W 5 "${to%]}" >/dev/null
		exec "$0" udp --to "$1" --size "$2" --flows 2 --count 200' \
		"$mqload" "$3" "$2"
}

fragments_on_random_queues_are_put_together() {
	guest --queues 4 --net mtu=1500 --stats "$work/stats" -- \
		"$bounce" eth0 "$mqload" udp --to "$to4" --size 65507 \
		--flows 2 --count 200 || return 1
	[ "$(grep -o '"reassembled":[0-9]*' "$work/stats" | cut -d: -f2 |
		paste -sd+ | bc)" -ge 200 ]
}

hops() { # EXPECTED COMMAND...
	local expected=$1
	shift
	guest -- "$@" >"$work/hops" || return 1
	cat "$work/hops"
	[ "$(awk 'NR > 1 { printf "%s ", $2 }' "$work/hops")" = "$expected" ]
}

make_internet || { echo "skipped: no network namespaces can be made"; exit 77; }
start_stun
start_server load4 "${at_server[@]}" "$mqload" server --bind 198.18.2.2 --port 0
to4=198.18.2.2:$port
start_server load6 "${at_server[@]}" "$mqload" server --bind 2001:db8:2::2 --port 0
to6="[2001:db8:2::2]:$port"

check "mapping does not depend on the endpoint" \
	says 'NAT with Endpoint Independent Mapping!' \
	guest -- turnutils_natdiscovery -m 198.18.2.2
check "filtering does not depend on the endpoint" \
	says 'NAT with Endpoint Independent Filtering!' \
	guest -- turnutils_natdiscovery -f 198.18.2.2
for filter in address:'Address' port:'Address and Port'; do
	check "filtering by ${filter%:*}" \
		says "NAT with ${filter#*:} Dependent Filtering!" \
		guest --net "udp-filter=${filter%:*}" -- \
		turnutils_natdiscovery -f 198.18.2.2
	check "mapping with filtering by ${filter%:*}" \
		says 'NAT with Endpoint Independent Mapping!' \
		guest --net "udp-filter=${filter%:*}" -- \
		turnutils_natdiscovery -m 198.18.2.2
done
check "hairpin" says 'successful hairpinning' \
	guest -- turnutils_natdiscovery -H 198.18.2.2
check "mapping of padded requests" \
	says 'NAT with Endpoint Independent Mapping!' \
	guest --net mtu=1500 -- turnutils_natdiscovery -m -P 198.18.2.2
check "classic STUN" \
	says 'Independent Mapping, Independent Filter, .*will hairpin' \
	guest -- stun 198.18.2.2

for mtu in 576 1500 65520; do
	check "65,507 bytes each way, MTU $mtu" echo_datagrams $mtu 65507 "$to4"
done
for mtu in 1280 1500 65520; do
	check "65,507 bytes each way by IPv6, MTU $mtu" \
		echo_datagrams $mtu 65507 "$to6"
done

check "fragments on random queues" fragments_on_random_queues_are_put_together
check "TCP segments in fragments of 8 bytes" says '/tcp *open' \
	guest --stats "$work/stats" -- nmap -sS -f -Pn -n -p "${to4#*:}" 198.18.2.2

check "traceroute by UDP" hops "10.0.2.2 198.18.1.2 198.18.2.2 " \
	traceroute -n -q 1 -N 1 -w 3 198.18.2.2
check "traceroute by ICMP" hops "10.0.2.2 198.18.1.2 198.18.2.2 " \
	traceroute -I -n -q 1 -N 1 -w 3 198.18.2.2
check "traceroute by UDP over IPv6" \
	hops "fec0::2 2001:db8:1::2 2001:db8:2::2 " \
	traceroute -6 -n -q 1 -N 1 -w 3 2001:db8:2::2
check "traceroute by ICMPv6" hops "fec0::2 2001:db8:1::2 2001:db8:2::2 " \
	traceroute -6 -I -n -q 1 -N 1 -w 3 2001:db8:2::2

check "ping in fragments" guest --net mtu=1500 -- \
	ping -q -c 1 -W 5 -s 65507 198.18.2.2
check "ping in fragments by IPv6" guest --net mtu=1500 -- \
	ping -q -c 1 -W 5 -s 65000 2001:db8:2::2

ip -n $net-router link set far mtu 1300
ip -n $net-server link set far mtu 1300
check "host's MTU is told to ping" says 'mtu *= *1500' \
	guest -- ping -M do -c 1 -W 3 -s 1900 198.18.2.2
check "router's MTU is told to ping" says 'mtu *= *1300' \
	guest --net mtu=1500 -- ping -M do -c 2 -W 3 -s 1400 198.18.2.2
check "router's MTU is told to ping by IPv6" says 'mtu *= *1300' \
	guest --net mtu=1500 -- ping -M do -c 2 -W 3 -s 1400 2001:db8:2::2
check "path's MTU is found by UDP" says 'F=1300' \
	guest --net mtu=1500 -- traceroute --mtu -n -w 3 198.18.2.2
check "path's MTU is found by UDP over IPv6" says 'F=1300' \
	guest --net mtu=1500 -- traceroute -6 --mtu -n -w 3 2001:db8:2::2
check "datagrams pass a narrow path" echo_datagrams 1500 8000 "$to4"
check "datagrams pass a narrow path by IPv6" echo_datagrams 1500 8000 "$to6"

# A router says so once a second for each who asks.
ip -n $net-router route del 198.18.2.0/24
check "unreachable network is told" says 'Destination Net Unreachable' \
	guest -- ping -c 4 -W 3 198.18.2.2
exit $failed
