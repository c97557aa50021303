#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nat.sh MQVMM MQLOAD BOUNCE ENGINE: the NAT against Linux's own TCP/IP stack in a
# network namespace, by the programs that people use. Needs root. Exit status:
# 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2 bounce=$3 engine=$4
. "$(dirname "$0")/lib.sh"
via=() # a program that runs the command

# guest OPTION... -- COMMAND: run COMMAND behind the NAT, 60 seconds at most
guest() {
	timeout -k 5 60 "$mqvmm" netns --net "engine=$engine" "$@"
}

start_server load "$mqload" server --port 0
load=$port
start_server dns "$mqload" dns --port 0
dns=$port

crr_without_an_error() {
	guest --queues "$1" "${@:2}" -- "${via[@]}" "$mqload" crr --to "10.0.2.2:$load" \
		--flows 8 --count 10000
}

streams_arrive_bit_for_bit() { # DIRECTION QUEUES OPTION...
	guest --queues "$2" "${@:3}" -- "${via[@]}" "$mqload" "$1" --to "10.0.2.2:$load" \
		--flows 4 --count 64M --verify
}

refusal_is_told_at_once() {
	guest -- timeout 5 bash -c '! : 2>/dev/null </dev/tcp/10.0.2.2/1'
}

nobody_is_told_at_once() { # ADDRESS
	guest -- timeout 5 bash -c ": </dev/tcp/$1/80" 2>&1 |
		grep "No route to host"
}

metadata_address_is_refused() {
	guest -- timeout 5 bash -c '! : 2>/dev/null </dev/tcp/169.254.169.254/80'
}

name_is_resolved() { # OPTION of dig
	guest --net "resolver=127.0.0.1:$dns" -- dig +time=3 +tries=2 +short "$@" \
		@10.0.2.3 example.test | grep -qx 192.0.2.7
}

forward_reaches_the_guest() {
	local server
	mkfifo "$work/inner"
	guest --queues 2 --net "hostfwd=tcp:127.0.0.1:$1-:7777" -- "$mqload" server \
		--bind 10.0.2.15 --port 7777 >"$work/inner" &
	server=$!
	read -r -t 10 _ <"$work/inner"
	"$mqload" down --to "127.0.0.1:$1" --flows 2 --count 16M --verify &&
		"$mqload" crr --to "127.0.0.1:$1" --flows 4 --count 500
	local status=$?
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	return $status
}

flows_are_counted() {
	guest --queues 2 --stats "$work/stats" -- "$mqload" crr \
		--to "10.0.2.2:$load" --flows 8 --count 2000 || return 1
	[ "$(grep -o '"tcp_flows":[0-9]*' "$work/stats" | cut -d: -f2 |
		paste -sd+ | bc)" -ge 2000 ]
}

free_port() {
	"$mqload" server --port 0 >"$work/port" &
	local pid=$!
	until [ -s "$work/port" ]; do :; done
	kill $pid
	wait $pid
	cut -d' ' -f2 "$work/port" | head -n 1
}

for queues in 1 2; do
	check "ping, $queues queues" guest --queues $queues -- \
		ping -c 2 -W 5 10.0.2.2
	check "10,000 CRR of 8 flows, $queues queues" \
		crr_without_an_error $queues
	check "upload, $queues queues" streams_arrive_bit_for_bit up $queues
	check "download, $queues queues" streams_arrive_bit_for_bit down $queues
done
check "upload, MTU 1500" streams_arrive_bit_for_bit up 2 --net mtu=1500
check "download, MTU 1500" streams_arrive_bit_for_bit down 2 --net mtu=1500
via=("$bounce" eth0)
check "CRR on random queues" crr_without_an_error 4
check "download on random queues" streams_arrive_bit_for_bit down 4
via=()
check "refusal is told at once" refusal_is_told_at_once
check "unreachable address is told at once" nobody_is_told_at_once 10.0.2.77
check "unreachable address is told at once, IPv6" nobody_is_told_at_once fec0::77
check "metadata address is refused" metadata_address_is_refused
check "DNS over UDP" name_is_resolved +notcp
check "DNS over TCP" name_is_resolved +tcp
check "UDP echo" guest --queues 2 -- "$mqload" udp --to "10.0.2.2:$load" \
	--flows 4 --count 2000
check "HTTP by curl" guest -- curl -sf --max-time 10 -o /dev/null \
	"http://10.0.2.2:$load/1000000"
check "forward" forward_reaches_the_guest "$(free_port)"
check "flows are counted" flows_are_counted
exit $failed
