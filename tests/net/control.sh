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

in_guest=(timeout -k 5 60 "$mqvmm" netns --queues 2 --control "$socket" --)

# guest FUNCTION: run it in a namespace with a control socket
guest() {
	"${in_guest[@]}" bash -c "set -eu; $1"
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

# A command that is negated with ! would not end the shell.
is_refused() {
	if (: <>"/dev/tcp/10.0.2.2/$port") 2>/dev/null; then return 1; fi
}

inside_policy() {
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	ctl policy set allow=tcp:192.0.2.0/24 default=deny
	[ "$(ctl policy show)" = "allow=tcp:192.0.2.0/24,default=deny" ]
	is_refused
	flow_is_listed
	ctl policy set ""
	: <>"/dev/tcp/10.0.2.2/$port"
}

inside_limits() {
	ctl limits tcp-flows=1 | grep -E '^tcp-flows +1$'
	exec 3<>"/dev/tcp/10.0.2.2/$port"
	is_refused
	ctl limits tcp-flows=0
	: <>"/dev/tcp/10.0.2.2/$port"
}

export -f ctl within flow_is_listed flow_is_gone is_refused inside_a_flow inside_round_trip \
	inside_counters inside_mode inside_capture inside_limited_capture \
	inside_policy inside_limits

a_flow_is_listed_while_it_lives() { guest inside_a_flow; }
a_round_trip_time_is_told() { guest inside_round_trip; }
counters_are_told() { guest inside_counters; }
the_socket_is_the_users_alone() { guest inside_mode; }

connects() {
	(: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

forwarded_flow_is_listed() {
	ctl flows | grep -E "^tcp +10.0.2.15:7000 .* established "
}

# A connection that is there when its forward is removed runs on.
forward_comes_and_goes() {
	local forward host_port
	forward=$(ctl forward add tcp:127.0.0.1:0-:7000)
	forward=${forward##* }
	host_port=${forward#tcp:127.0.0.1:}
	host_port=${host_port%%-*}
	ctl forward list | grep -F "$forward" &&
		"$mqload" crr --to "127.0.0.1:$host_port" --count 100 &&
		exec 4<>"/dev/tcp/127.0.0.1/$host_port" &&
		within 10 forwarded_flow_is_listed &&
		ctl forward remove "$forward" &&
		! connects "$host_port" &&
		forwarded_flow_is_listed &&
		! ctl forward remove "$forward"
}

a_forward_is_added_and_removed() {
	local pid status
	"${in_guest[@]}" "$mqload" server --bind 0.0.0.0 --port 7000 \
		>"$work/inside" &
	pid=$!
	within 10 test -s "$work/inside" && forward_comes_and_goes
	status=$?
	exec 4>&-
	kill $pid
	wait $pid
	return $status
}

a_policy_is_changed() { guest inside_policy; }
limits_are_changed() { guest inside_limits; }

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
check "a forward is added and removed" a_forward_is_added_and_removed
check "a policy is changed" a_policy_is_changed
check "limits are changed" limits_are_changed
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
