#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# torture.sh LOSSY TORTURE BOUNCE ENGINE: streams of random sizes and shapes
# through the NAT, bit for bit, by Linux's TCP on both sides, with and without
# loss, copies and reordering between the namespace and the NAT. Needs root.
# TORTURE_SEED=N repeats a run's choices. Exit status: 0 passed, 1 failed, 77
# skipped.
lossy=$1 torture=$2 bounce=$3 engine=$4
seed=${TORTURE_SEED:-$((RANDOM << 15 | RANDOM))}
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# The network's choice: frames in a thousand that are lost, come twice, come
# late; the latest that they come, milliseconds.
good=0,0,0,0
poor=10,10,50,5
bad=50,20,100,20

# netns LUCK OPTION... -- COMMAND
netns() {
	LOSSY=$1,$seed timeout -k 5 100 "$lossy" netns \
		--net "engine=$engine" "${@:2}"
}

# streams LUCK COUNT MOST OPTION...: from the namespace to the host
streams() {
	netns "$1" "${@:4}" -- "$torture" client 10.0.2.2 "$port4" "$seed" "$2" \
		16 "$3"
}

without_peek_offset() {
	LOSSY_PEEK=no streams "$@"
}

over_ipv6() {
	netns "$1" --queues 2 -- "$torture" client fec0::2 "$port6" "$seed" "$2" 16 "$3"
}

on_random_queues() {
	netns "$1" --queues 4 -- "$bounce" eth0 "$torture" client 10.0.2.2 "$port4" \
		"$seed" "$2" 16 "$3"
}

long_both_ways() {
	netns $good --queues 2 "$@" -- "$torture" client 10.0.2.2 "$port4" "$seed" \
		1 1 50000000 exact
}

free_port() {
	start_server port "$torture" server
	kill "${servers[-1]}"
	wait "${servers[-1]}" 2>/dev/null
	unset 'servers[-1]'
}

# From the host to a server in the namespace.
into_namespace() {
	local luck=$1 outside status
	free_port
	outside=$port
	start_server inner env "LOSSY=$luck,$seed" timeout -k 5 100 "$lossy" netns \
		--queues 2 --net "engine=$engine" \
		--net "hostfwd=tcp:127.0.0.1:$outside-:7777" -- \
		"$torture" server 0.0.0.0 7777
	"$torture" client 127.0.0.1 "$outside" "$seed" "$2" 16 "$3"
	status=$?
	kill "${servers[-1]}"
	wait "${servers[-1]}" 2>/dev/null
	unset 'servers[-1]'
	rm "$work/port" "$work/inner"
	return $status
}

echo "# seed $seed"
start_server host4 "$torture" server 127.0.0.1
port4=$port
start_server host6 "$torture" server ::1
port6=$port

check "all shapes" streams $good 200 5000000 --queues 2
check "all shapes, MTU 1500" streams $good 200 5000000 --queues 1 --net mtu=1500
check "all shapes, no SO_PEEK_OFF" without_peek_offset $good 200 5000000 --queues 2
check "all shapes, IPv6" over_ipv6 $good 200 5000000
check "all shapes, random queues" on_random_queues $good 200 5000000
check "all shapes, into the namespace" into_namespace $good 200 5000000
check "50 MB both ways" long_both_ways
check "1 % loss" streams $poor 100 2000000 --queues 2
check "1 % loss, MTU 1500" streams $poor 100 500000 --queues 1 --net mtu=1500
check "1 % loss, no SO_PEEK_OFF" without_peek_offset $poor 100 2000000 --queues 2
check "1 % loss, random queues" on_random_queues $poor 100 2000000
check "1 % loss, into the namespace" into_namespace $poor 100 2000000
check "5 % loss" streams $bad 60 1000000 --queues 2
check "5 % loss, no SO_PEEK_OFF" without_peek_offset $bad 60 1000000 --queues 2
check "5 % loss, IPv6" over_ipv6 $bad 60 1000000
exit $failed
