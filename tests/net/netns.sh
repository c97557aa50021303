#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# netns.sh MQVMM MQLOAD: mqvmm netns as its users see it, both as root and as
# nobody. Needs root.
mqvmm=$1 mqload=$2

# Mounts of this script are its own: /dev/net/tun may be root's here. They are
# shared with who is run, to see that nobody mounts anything in them.
if [ "$(id -u)" = 0 ] && [ -z "${NETNS_SH:-}" ]; then
	NETNS_SH=1 exec unshare --mount --propagation private "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

trap 'umount -l /etc /dev/net/tun "$work/dev"; clean_up' EXIT

mount --make-rshared / || exit 1
chmod 755 "$work"
mkdir "$work/dev" "$work/open"
cp "$mqvmm" "$work/mqvmm"
cp "$mqload" "$work/mqload"
mount -t tmpfs tmpfs "$work/dev" && mknod -m 666 "$work/dev/tun" c 10 200 &&
	mount --bind "$work/dev/tun" /dev/net/tun || exit 1
chmod 777 "$work/open"
mqvmm=$work/mqvmm mqload=$work/mqload

# The host's resolv.conf is replaced here: that of a copy of /etc, where it is a
# link, as with systemd-resolved.
cp -a /etc "$work/etc"
mkdir "$work/etc/stub"
cp --remove-destination "$(realpath /etc/resolv.conf)" \
	"$work/etc/stub/resolv.conf"
ln -sf stub/resolv.conf "$work/etc/resolv.conf"
mount --bind "$work/etc" /etc || exit 1
marker=90000.$$ # of seconds that a program here sleeps: its argument is unique

start_server load "$mqload" server --port 0
load=$port
start_server dns "$mqload" dns --port 0
dns=$port

# become USER: sets $user, and $as, which runs a program as USER until this
# script ends
become() {
	user=$1
	as=(setpriv --pdeathsig KILL)
	[ "$user" = root ] ||
		as+=(--reuid=65534 --regid=65534 --clear-groups)
}

# as_user COMMAND...: as $user, 60 seconds at most
as_user() {
	timeout --preserve-status -k 5 60 "${as[@]}" "$@"
}

# guest ARGUMENT...: mqvmm netns as $user
guest() {
	as_user "$mqvmm" netns "$@"
}

# gives STATUS COMMAND...: COMMAND ends with STATUS
gives() {
	local want=$1 status=0
	shift
	"$@" || status=$?
	[ $status = "$want" ] || { echo "status $status, not $want"; return 1; }
}

# background ARGUMENT...: starts mqvmm netns, sets $pid to it once its command
# printed "ready" to $out
background() {
	out=$(mktemp "$work/background.XXXXXX")
	env --default-signal=INT,QUIT "${as[@]}" "$mqvmm" netns "$@" \
		>"$out" 2>&1 &
	pid=$!
	servers+=($pid)
	within 10 grep -q ready "$out" || { cat "$out"; return 1; }
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# its_status: that of what background() started, which must end by itself
its_status() {
	within 10 has_ended $pid || echo "it does not end"
	has_ended $pid || kill -KILL $pid
	wait $pid
}

exit_status_is_passed_on() {
	gives 0 guest -- true && gives 7 guest -- sh -c 'exit 7' &&
		gives 137 guest -- sh -c 'kill -KILL $$' &&
		gives 143 guest -- sh -c 'kill -TERM $$' &&
		gives 127 guest -- "$work/nothing" &&
		gives 126 guest -- "$work/open" &&
		gives 7 timeout -k 5 20 env --ignore-signal=CHLD "${as[@]}" "$mqvmm" netns -- \
			sh -c 'exit 7'
}

shell_is_run_without_a_command() {
	[ "$(echo 'echo shell $0' | SHELL=/bin/sh guest)" = "shell /bin/sh" ]
}

input_and_output_pass_through() {
	[ "$(echo text | guest -- cat)" = text ]
}

user_is_root_inside() {
	[ "$(guest -- id -u):$(guest -- id -g)" = 0:0 ]
}

everything_is_configured_at_once() {
	guest --queues 2 -- sh -c '
		set -e
		ip -4 -o addr show eth0 | grep -q "inet 10.0.2.15/24 brd 10.0.2.255 "
		ip route | grep -q "^10.0.2.0/24 dev eth0 "
		! ip route | grep -q ^default || ip route | grep -q "^default via 10.0.2.2 dev eth0"
		ip link show eth0 | grep -q "UP,LOWER_UP.* mtu 65520 .*state"
		ip link show eth0 | grep -q "ether 52:54:00:12:34:56 "
		ip link show lo | grep -q "UP,LOWER_UP"
		grep -qx "nameserver 10.0.2.3" /etc/resolv.conf
		! grep -v "^nameserver \|^search " /etc/resolv.conf'
}

ipv6_is_configured_at_once() {
	[ -e /proc/net/if_inet6 ] || return 0
	guest -- sh -c '
		set -e
		ip -6 -o addr show dev eth0 | grep "fec0::15/64"
		! ip -6 addr show dev eth0 | grep tentative
		ip -6 route | grep "^fec0::/64 dev eth0"'
}

options_of_net_are_followed() {
	guest --interface tap7 --net net=10.9.0.0/16,mtu=1400,ipv6=off -- sh -c '
		set -e
		ip -4 -o addr show tap7 | grep "inet 10.9.0.15/16 "
		ip link show tap7 | grep " mtu 1400 "
		! ip -6 addr show dev tap7 | grep fec0
		grep -x "nameserver 10.9.0.3" /etc/resolv.conf'
}

host_loopback_is_the_gateway() {
	guest -- curl -sf --max-time 10 -o "$work/open/page.$user" \
		"http://10.0.2.2:$load/100000" &&
		[ "$(stat -c %s "$work/open/page.$user")" = 100000 ]
}

names_are_resolved_by_resolv_conf() {
	[ "$(guest --net "resolver=127.0.0.1:$dns" -- \
		dig +short +time=3 +tries=2 example.test)" = 192.0.2.7 ]
}

# replace FILE: as programs do that write resolv.conf
replace() {
	echo "nameserver 127.0.0.53" >"$1.new" && mv "$1.new" "$1"
}

resolv_conf_outlives_the_hosts() {
	local file
	for file in /etc/stub/resolv.conf /etc/resolv.conf; do
		background -- sh -c "echo ready; until [ -e $work/open/replaced ]
			do sleep 0.05; done
			for i in 1 2 3 4 5 6 7 8 9 10; do
				grep -x 'nameserver 10.0.2.3' /etc/resolv.conf && exit
				sleep 0.1
			done; cat /etc/resolv.conf; exit 1" || return 1
		replace $file
		touch "$work/open/replaced"
		gives 0 its_status || { cat "$out"; return 1; }
		rm "$work/open/replaced"
	done
}

# Unpinned: then the kernel spreads flows by a hash, and follows the shards.
flows_spread_over_the_shards() {
	local stats=$work/open/stats.$user
	guest --queues 2 --place none --stats "$stats" -- "$mqload" crr \
		--to "10.0.2.2:$load" --flows 8 --count 2000 || return 1
	cat "$stats"
	[ "$(grep -o '"tcp_flows":[1-9][0-9]*' "$stats" | wc -l)" = 2 ] &&
		[ "$(grep -o '"handoffs_out":[0-9]*' "$stats" | cut -d: -f2 |
			paste -sd+ | bc)" -le 100 ]
}

# The command ends as soon as all is written, and its peer is slow.
what_is_sent_last_arrives() {
	start_server "slow.$user" perl -MIO::Socket::INET -e '
		$| = 1;
		$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1);
		print "listening ", $s->sockport, "\n";
		$c = $s->accept;
		select undef, undef, undef, 0.5; # its buffers fill
		$bytes += length $data while sysread $c, $data, 65536;
		print "$bytes\n";'
	guest -- bash -c "head -c 8000000 /dev/zero >/dev/tcp/10.0.2.2/$port" &&
		within 20 grep -qx 8000000 "$work/slow.$user.out"
}

many_descriptors_are_allowed() {
	(ulimit -Sn 40
	[ "$(guest -- bash -c 'ulimit -Sn')" = 40 ] &&
		guest -- bash -c "ulimit -Sn hard; \"$mqload\" rr --to 10.0.2.2:$load \
			--flows 200 --count 1000")
}

counters_are_written_on_sigusr1() {
	local stats=$work/open/usr1.$user
	background --stats "$stats" -- sh -c "echo ready; exec sleep $marker" &&
		kill -USR1 $pid && within 10 test -s "$stats" &&
		grep -q '"shards"' "$stats" && kill $pid && gives 143 its_status
}

two_at_once_do_not_meet() {
	guest -- curl -sf --max-time 20 -o /dev/null \
		"http://10.0.2.2:$load/10000000" &
	guest -- curl -sf --max-time 20 -o /dev/null \
		"http://10.0.2.2:$load/10000000" && wait $!
}

namespaces_nest() {
	guest -- "$mqvmm" netns --net net=10.7.0.0/24 -- curl -sf --max-time 10 \
		--interface 10.7.0.15 -o /dev/null "http://10.0.2.2:$load/1000"
}

# Signals and ends

signals_reach_the_command() {
	local signal
	for signal in TERM INT HUP QUIT; do
		background -- sh -c "trap 'echo got $signal; exit 3' $signal
			echo ready; while :; do sleep 0.05; done" || return 1
		kill -$signal $pid
		gives 3 its_status && grep -q "got $signal" "$out" || return 1
	done
	background -- sh -c "echo ready; exec sleep $marker" &&
		kill -TERM $pid && gives 143 its_status
}

# Ctrl-C reaches the foreground group: this command, which is in a group of its
# own, would have it only from mqvmm, and mqvmm must outlive it.
ctrl_c_is_not_handed_on() {
	local at=$work/open/typed.$user status
	mkfifo "$work/keys.$user"
	as_user script -qefc "echo \$\$ >$at.pid; exec $mqvmm netns \
		--stats $at.stats -- setsid sh -c '
		trap \"exit 9\" INT; echo ready
		until [ -e $at.end ]; do sleep 0.05; done; exit 4'" "$at" \
		<"$work/keys.$user" >/dev/null &
	pid=$!
	exec {fd}>"$work/keys.$user"
	# What SIGUSR1 has written tells that the SIGINT before it was seen.
	within 10 grep -q ^ready "$at" && printf '\003' >&"$fd" &&
		within 10 grep -q '\^C' "$at" &&
		kill -USR1 "$(cat "$at.pid")" && within 10 test -s "$at.stats" &&
		touch "$at.end"
	gives 4 its_status
	status=$?
	exec {fd}>&-
	cat "$at"
	return $status
}

# script(1) writes the command itself to the file first: "ready" begins a line
# only where the command said it. It runs the command by the user's shell, which
# has the Ctrl-C as well and need not outlive it: hence exec.
ctrl_c_reaches_the_command() {
	local at=$work/open/trapped.$user status
	mkfifo "$work/more.$user"
	as_user script -qefc "exec $mqvmm netns -- sh -c '
		trap \"exit 9\" INT; echo ready; while :; do sleep 0.05; done'" \
		"$at" <"$work/more.$user" >/dev/null &
	pid=$!
	exec {fd}>"$work/more.$user"
	within 10 grep -q ^ready "$at" && printf '\003' >&"$fd"
	gives 9 its_status
	status=$?
	exec {fd}>&-
	return $status
}

# A program that was run after an interactive shell can read the terminal.
terminal_is_given_back() {
	local at=$work/open/lines.$user
	mkfifo "$work/lines.$user"
	as_user script -qefc "bash -c '
		$mqvmm netns -- bash --norc -ic \"echo inner\"
		read -r line; echo outer \$line'" "$at" \
		<"$work/lines.$user" >/dev/null &
	pid=$!
	exec {fd}>"$work/lines.$user"
	echo hello >&"$fd"
	gives 0 its_status
	exec {fd}>&-
	cat "$at"
	grep -q "outer hello" "$at"
}

# nothing_is_left INODE: no process of the marker or of that network namespace
nothing_is_left() {
	! pgrep -f "sleep $marker" && ! find /proc/[0-9]*/ns/net -lname \
		"net:\[$1\]" 2>/dev/null | grep -q .
}

leave_something="readlink /proc/self/ns/net; setsid sleep $marker & sleep $marker & echo ready;"

namespace_of() {
	sed -n 's/net:\[\(.*\)\]/\1/p' "$1"
}

background_processes_end_with_the_command() {
	mounts=$(cat /proc/self/mountinfo)
	background -- sh -c "$leave_something exit 5" && gives 5 its_status &&
		nothing_is_left "$(namespace_of "$out")" &&
		[ "$mounts" = "$(cat /proc/self/mountinfo)" ]
}

nothing_is_left_when_the_command_is_killed() {
	background -- sh -c "$leave_something exec sleep $marker" &&
		kill -KILL "$(pgrep -P "$(pgrep -P $pid)" -o)" &&
		gives 137 its_status &&
		nothing_is_left "$(namespace_of "$out")"
}

refuses() {
	! (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null
}

# The kernel takes a killed process's io_uring down, and the sockets that this
# watched, a few milliseconds after the process itself.
nothing_is_left_when_mqvmm_is_killed() {
	local forwarded
	start_server "free.$user" "$mqload" server --port 0
	forwarded=$port
	kill "${servers[-1]}"
	wait "${servers[-1]}"
	background --net "hostfwd=tcp:127.0.0.1:$forwarded-:80" -- \
		sh -c "$leave_something wait" &&
		kill -KILL $pid && gives 137 its_status &&
		within 10 nothing_is_left "$(namespace_of "$out")" &&
		within 10 refuses "$forwarded"
}

for user in root nobody; do
	become $user
	check "exit status is passed on, $user" exit_status_is_passed_on
	check "a shell is run without a command, $user" \
		shell_is_run_without_a_command
	check "input and output pass through, $user" input_and_output_pass_through
	check "the user is root inside, $user" user_is_root_inside
	check "everything is configured at once, $user" \
		everything_is_configured_at_once
	check "IPv6 is configured at once, $user" ipv6_is_configured_at_once
	check "options of --net are followed, $user" options_of_net_are_followed
	check "host loopback is the gateway, $user" host_loopback_is_the_gateway
	check "names are resolved by resolv.conf, $user" \
		names_are_resolved_by_resolv_conf
	check "resolv.conf outlives the host's, $user" \
		resolv_conf_outlives_the_hosts
	check "flows spread over the shards, $user" flows_spread_over_the_shards
	check "what is sent last arrives, $user" what_is_sent_last_arrives
	check "many descriptors are allowed, $user" many_descriptors_are_allowed
	check "counters are written on SIGUSR1, $user" \
		counters_are_written_on_sigusr1
	check "two at once do not meet, $user" two_at_once_do_not_meet
	check "namespaces nest, $user" namespaces_nest
	check "signals reach the command, $user" signals_reach_the_command
	check "Ctrl-C reaches the command, $user" ctrl_c_reaches_the_command
	check "Ctrl-C is not handed on, $user" ctrl_c_is_not_handed_on
	check "the terminal is given back, $user" terminal_is_given_back
	check "background processes end with the command, $user" \
		background_processes_end_with_the_command
	check "nothing is left when the command is killed, $user" \
		nothing_is_left_when_the_command_is_killed
	check "nothing is left when mqvmm is killed, $user" \
		nothing_is_left_when_mqvmm_is_killed
done
exit $failed
