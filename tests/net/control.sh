#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# control.sh MQVMM MQLOAD: what people do by `mqvmm ctl` while a namespace is in
# use. Needs root. Exit status: 0 passed, 1 failed, 77 skipped.
export LC_ALL=C mqvmm=$1 mqload=$2
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
export work socket=$work/socket

start_server load "$mqload" server --port 0
export port

# guest FUNCTION: run it in a namespace with a control socket
guest() {
	timeout -k 5 60 "$mqvmm" netns --queues 2 --control "$socket" -- \
		bash -c "set -eu; $1"
}

ctl() {
	timeout 10 "$mqvmm" ctl "$socket" "$@"
}

flow_is_listed() {
	ctl flows | grep "10.0.2.2:$port"
}

flow_is_gone() {
	! flow_is_listed
}

inside_a_flow() {
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	flow_is_listed | grep -E "^tcp +10.0.2.15:[0-9]+ .* established "
	exec 3>&-
	within 10 flow_is_gone
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

# Frames are captured while streams run; then the capture is complete at once.
inside_capture() {
	local streams
	"$mqload" crr --to "10.0.2.2:$port" --flows 4 --count 2000 >"$work/crr" &
	streams=$!
	ctl pcap start --snap 128 "$work/capture"
	ctl flows >"$work/flows"
	wait $streams
	ctl pcap stop | tee "$work/result"
}

inside_limited_capture() {
	ctl pcap start --limit 2M "$work/capture"
	"$mqload" down --to "10.0.2.2:$port" --flows 2 --count 16M --verify
	ctl pcap stop
	[ "$(stat -c %s "$work/capture")" -le $((2 << 20)) ]
}

export -f ctl within flow_is_listed flow_is_gone inside_a_flow inside_round_trip \
	inside_counters inside_mode inside_capture inside_limited_capture

a_flow_is_listed_while_it_lives() { guest inside_a_flow; }
a_round_trip_time_is_told() { guest inside_round_trip; }
counters_are_told() { guest inside_counters; }
the_socket_is_the_users_alone() { guest inside_mode; }

# frames FILTER: how many of the capture's
frames() {
	tshark -r "$work/capture" -Y "$1" -T fields -e frame.number 2>/dev/null |
		wc -l
}

a_capture_is_read_by_wireshark() {
	rm -f "$work/capture"
	guest inside_capture || return 1
	capinfos "$work/capture" || return 1
	# Both ways, on queues by their names, and all that was told of.
	[ "$(frames 'tcp.flags.syn == 1 && frame.packet_flags_direction == 2')" -ge 1000 ] &&
		[ "$(frames 'tcp.flags.syn == 1 && frame.packet_flags_direction == 1')" -ge 1000 ] &&
		[ "$(frames 'frame.interface_name matches "^queue[01]$"')" = \
			"$(awk '$1 == "frames" { print $2 }' "$work/result")" ] &&
		grep -E '^dropped +0$' "$work/result"
}

a_capture_stays_below_its_limit() {
	rm -f "$work/capture"
	guest inside_limited_capture && capinfos "$work/capture"
}

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

check "a flow is listed while it lives" a_flow_is_listed_while_it_lives
check "a round trip time is told" a_round_trip_time_is_told
check "counters are told" counters_are_told
check "the socket is the users alone" the_socket_is_the_users_alone
if command -v tshark capinfos >"$work/tools"; then
	check "a capture is read by wireshark" a_capture_is_read_by_wireshark
	check "a capture stays below its limit" a_capture_stays_below_its_limit
else
	echo "skipped: captures are not read: tshark is not installed"
fi
check "the socket is gone afterwards" the_socket_is_gone_afterwards
check "what is no command is refused" what_is_no_command_is_refused
check "nobody there is said" nobody_there_is_said
exit $failed
