#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# control.sh MQVMM MQLOAD: what people do by `mqvmm ctl` while a namespace is in
# use. Needs root. Exit status: 0 passed, 1 failed, 77 skipped.
set -u
export LC_ALL=C mqvmm=$1 mqload=$2
failed=0

if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
	echo "skipped: needs root and /dev/net/tun for a namespace"
	exit 77
fi

work=$(mktemp -d)
export work socket=$work/socket
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

mkfifo "$work/ready"
"$mqload" server --port 0 >"$work/ready" &
server=$!
exec {fd}<"$work/ready"
read -r -t 10 _ port <&"$fd" || { echo "no server"; exit 1; }
export port

# guest FUNCTION: run it in a namespace with a control socket
guest() {
	timeout -k 5 60 "$mqvmm" netns --queues 2 --control "$socket" -- \
		bash -c "set -eu; $1"
}

# check FUNCTION
check() {
	if "$1" >"$work/log" 2>&1; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$work/log" | tail -n 20
		failed=1
	fi
}

ctl() {
	timeout 10 "$mqvmm" ctl "$socket" "$@"
}

# until_gone COMMAND...: it fails within 10 seconds
until_gone() {
	local end=$((SECONDS + 10))
	while "$@" >"$work/seen"; do
		[ $SECONDS -lt $end ] || { cat "$work/seen"; return 1; }
	done
}

flow_is_listed() {
	ctl flows | grep "10.0.2.2:$port"
}

inside_a_flow() {
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	flow_is_listed | grep -E "^tcp +10.0.2.15:[0-9]+ .* established "
	exec 3>&-
	until_gone flow_is_listed
}

inside_round_trip() {
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	"$mqvmm" ctl --json "$socket" flows |
		grep -E '"rtt_us":[1-9][0-9]*,'
}

inside_counters() {
	ctl stats | grep -E '^tcp_flows +0 '
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	ctl stats | grep -E '^tcp_flows +1 '
	ctl stats | grep -E '^shards +total +shard 0 +shard 1$'
}

inside_mode() {
	[ "$(stat -c %a "$socket")" = 600 ]
}

export -f ctl until_gone flow_is_listed inside_a_flow inside_round_trip \
	inside_counters inside_mode

a_flow_is_listed_while_it_lives() { guest inside_a_flow; }
a_round_trip_time_is_told() { guest inside_round_trip; }
counters_are_told() { guest inside_counters; }
the_socket_is_the_users_alone() { guest inside_mode; }

the_socket_is_gone_afterwards() {
	guest true && [ ! -e "$socket" ]
}

what_is_no_command_is_refused() {
	local status=0
	ctl frobnicate 2>"$work/said" || status=$?
	[ $status = 2 ] && grep frobnicate "$work/said"
}

nobody_there_is_said() {
	local status=0
	ctl flows 2>"$work/said" || status=$?
	[ $status = 1 ] && grep "cannot reach $socket" "$work/said"
}

check a_flow_is_listed_while_it_lives
check a_round_trip_time_is_told
check counters_are_told
check the_socket_is_the_users_alone
check the_socket_is_gone_afterwards
check what_is_no_command_is_refused
check nobody_there_is_said
exit $failed
