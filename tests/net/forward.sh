#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# forward.sh MQVMM MQLOAD ENGINE: forwards, in both directions, between real
# programs. The world outside is a namespace, so that all ports are free, with a
# second one in it for clients that come from elsewhere. Needs root. Exit status:
# 0 passed, 1 failed, 77 skipped.
mqvmm=$1 mqload=$2 engine=$3
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
if ! command -v socat >/dev/null; then
	echo "skipped: needs socat"
	exit 77
fi
if [ -z "${FORWARD_WORLD-}" ]; then
	rm -rf "$work"
	FORWARD_WORLD=1 exec unshare --net "$0" "$@"
fi

# The client's namespace lives as long as somebody holds the pipe open.
mkfifo "$work/hold" "$work/ready"
unshare --net bash -c 'echo $$ >"$1/ready"; read -r _ <"$1/hold"' _ "$work" &
servers+=($!)
read -r -t 10 client <"$work/ready" || exit 1
exec {hold}>"$work/hold"
elsewhere() {
	nsenter -t "$client" -n timeout 20 "$@"
}
ip link set lo up &&
	ip link add world type veth peer name eth0 netns "$client" &&
	ip address add 192.0.2.1/24 dev world &&
	ip address add 2001:db8::1/64 dev world nodad &&
	ip link set world up &&
	elsewhere ip address add 192.0.2.2/24 dev eth0 &&
	elsewhere ip address add 2001:db8::2/64 dev eth0 nodad &&
	elsewhere ip link set eth0 up || exit 1

# serve OPTIONS COMMAND: run a guest that serves, until end_guest. The line of
# shell COMMAND begins its servers and then calls ready.
serve() {
	rm -f "$work/serving" "$work/stop"
	mkfifo "$work/serving" "$work/stop"
	mqload=$mqload work=$work timeout -k 5 100 \
		"$mqvmm" netns --queues 2 --stats "$work/stats" \
		--net "engine=$engine,$1" -- bash -c '
		ready() { echo >"$work/serving"; read -r _ <"$work/stop"; }
		listens() { # PROTOCOL PORT: wait until somebody does
			until ss -Hln"$1" "sport = :$2" | grep -q .; do :; done
		}
		tell_peer() { # TCP4|TCP6 PORT: who connects is told who he is
			socat "$1-LISTEN:$2,fork,reuseaddr" SYSTEM:"
				echo \$SOCAT_PEERADDR \$SOCAT_PEERPORT $2" &
			listens t "$2"
		}
		tell_asker() { # UDP4|UDP6 PORT: the same for one who sends a line
			socat "$1-LISTEN:$2,fork,reuseaddr" SYSTEM:"read -r _
				echo \$SOCAT_PEERADDR \$SOCAT_PEERPORT $2" &
			listens u "$2"
		}
		'"$2"'; ready; kill $(jobs -p)' 2>"$work/guest.log" &
	guest=$!
	read -r -t 20 _ <"$work/serving"
}

end_guest() {
	echo >"$work/stop"
	wait "$guest" || cat "$work/guest.log"
}

# ask ADDRESS: connect, and print what is said
ask() {
	timeout 10 socat -u "$1" - </dev/null
}

# exchange LINE COMMAND...: say a line to a command, print the one it answers
exchange() {
	local line pid
	coproc TALK { exec "${@:2}"; }
	pid=$TALK_PID
	echo "$1" >&"${TALK[1]}"
	read -r -t 10 -u "${TALK[0]}" line && echo "$line"
	kill "$pid"
	wait "$pid" 2>/dev/null
}

expect() { # WANTED GOT
	[ "$1" = "$2" ] || { echo "wanted '$1', got '$2'"; return 1; }
}

range_leads_to_the_ports_in_order() {
	serve hostfwd=tcp::8000-8002-:7000 '
		for port in 7000 7001 7002; do tell_peer TCP4 $port; done'
	local status=0 i
	for i in 0 1 2; do
		ask TCP4:127.0.0.1:800$i | grep "^10.0.2.2 .* 700$i\$" || status=1
	done
	end_guest
	return $status
}

families_meet() {
	serve 'hostfwd=tcp::8000-:7000,hostfwd=tcp::8001-[fec0::15]:7001,'`
		`'hostfwd=tcp:127.0.0.1:8002-:7000,hostfwd=tcp:[2001:db8::1]:8002-:7000' '
		tell_peer TCP4 7000; tell_peer TCP6 7001'
	ask TCP4:127.0.0.1:8000 | grep '^10.0.2.2 ' &&
		ask TCP6:[::1]:8000 | grep '^10.0.2.2 ' &&
		ask TCP4:127.0.0.1:8001 |
			grep '^\[fec0:0000:0000:0000:0000:0000:0000:0002\] ' &&
		ask TCP6:[::1]:8001 | grep '^\[fec0:' &&
		elsewhere socat -u TCP6:[2001:db8::1]:8002 - | grep '^10.0.2.2 '
	local status=$?
	end_guest
	return $status
}

chosen_port_is_told() {
	local port
	serve hostfwd=tcp:127.0.0.1:0-:7000 'tell_peer TCP4 7000'
	port=$(sed -n 's/.*forward tcp:127.0.0.1:\([0-9]*\)-10.0.2.15:7000$/\1/p' \
		"$work/guest.log")
	ask TCP4:127.0.0.1:"$port" | grep '^10.0.2.2 '
	local status=$?
	end_guest
	return $status
}

clients_keep_their_address() { # OPTION HOW4 HOW6
	local status=0
	serve "$1,hostfwd=tcp::8000-:7000,hostfwd=udp::8000-:7000,"`
		`'hostfwd=tcp::8001-[fec0::15]:7001' '
		tell_peer TCP4 7000; tell_asker UDP4 7000; tell_peer TCP6 7001'
	expect "$2 5555 7000" "$(elsewhere socat -u \
		TCP4:192.0.2.1:8000,sourceport=5555 -)" || status=1
	expect "$2 5556 7000" "$(exchange hello nsenter -t "$client" -n socat \
		- UDP4:192.0.2.1:8000,sourceport=5556)" || status=1
	expect "[$3] 5557 7001" "$(elsewhere socat -u \
		TCP6:[2001:db8::1]:8001,sourceport=5557 -)" || status=1
	# From loopback nobody's address can be kept.
	ask TCP4:127.0.0.1:8000 | grep '^10.0.2.2 ' || status=1
	end_guest
	return $status
}

one_client_port_of_two_forwards() {
	local status=0 first line
	serve "hostfwd=tcp::8000-:7000,hostfwd=tcp::8001-:7000" '
		socat TCP4-LISTEN:7000,fork,reuseaddr EXEC:cat & listens t 7000'
	# The first connection stays open while the second is made.
	coproc FIRST { socat - TCP4:127.0.0.1:8000,sourceport=5555,reuseaddr; }
	first=$FIRST_PID
	echo one >&"${FIRST[1]}"
	read -r -t 10 -u "${FIRST[0]}" line && expect one "$line" || status=1
	expect two "$(exchange two socat \
		- TCP4:127.0.0.1:8001,sourceport=5555,reuseaddr)" || status=1
	echo three >&"${FIRST[1]}"
	read -r -t 10 -u "${FIRST[0]}" line && expect three "$line" || status=1
	kill "$first"
	end_guest
	return $status
}

connections_are_spread() {
	serve hostfwd=tcp::8000-:7000 '
		"$mqload" server --bind 10.0.2.15 --port 7000 & listens t 7000'
	"$mqload" rr --to 127.0.0.1:8000 --flows 200 --count 2000
	local status=$?
	end_guest
	[ $status = 0 ] && grep -o '"tcp_flows":[0-9]*' "$work/stats" |
		awk -F: '{ print; if ($2 < 60) few = 1 }
			END { exit few || NR != 2 }'
}

bulk_passes() {
	serve hostfwd=tcp::8000-:7000 '
		"$mqload" server --bind 10.0.2.15 --port 7000 & listens t 7000'
	"$mqload" down --to 127.0.0.1:8000 --flows 2 --count 32M --verify &&
		"$mqload" up --to 127.0.0.1:8000 --flows 2 --count 32M --verify &&
		"$mqload" crr --to 127.0.0.1:8000 --flows 4 --count 2000
	local status=$?
	end_guest
	return $status
}

datagrams_pass() {
	serve 'hostfwd=udp:127.0.0.1:8000-:7000,hostfwd=udp:127.0.0.1:8001-:7000' '
		"$mqload" server --bind 10.0.2.15 --port 7000 & listens u 7000'
	"$mqload" udp --to 127.0.0.1:8000 --flows 8 --count 4000 &&
		"$mqload" udp --to 127.0.0.1:8001 --flows 4 --count 400 --size 9000
	local status=$?
	end_guest
	return $status
}

# guest OPTIONS COMMAND: run a line of shell behind the NAT
guest() {
	work=$work mqload=$mqload timeout -k 5 60 "$mqvmm" netns --queues 2 \
		--net "engine=$engine,$1" -- bash -c "$2"
}

guest_reaches_a_unix_socket() {
	local path=$work/socket
	socat UNIX-LISTEN:"$path",fork EXEC:cat &
	servers+=($!)
	within 10 test -S "$path" || return 1
	head -c 20000000 /dev/urandom >"$work/sent"
	guest "restrict=on,guestfwd=tcp:10.0.2.100:80-unix:$path" '
		timeout 30 socat -t 20 - TCP4:10.0.2.100:80 \
			<"$work/sent" >"$work/got" &&
			! : 2>/dev/null </dev/tcp/10.0.2.100/81' &&
		cmp "$work/sent" "$work/got"
}

guest_reaches_an_address() {
	start_server host "$mqload" server --bind 192.0.2.1 --port 9000
	guest 'restrict=on,guestfwd=:10.0.2.100:80-tcp:192.0.2.1:9000,'`
		`'guestfwd=:[fec0::64]:80-tcp:192.0.2.1:9000' '
		"$mqload" down --to 10.0.2.100:80 --count 8M --verify &&
		curl -sf --max-time 10 -o /dev/null "http://[fec0::64]/100000"'
}

check "range leads to the ports in order" range_leads_to_the_ports_in_order
check "clients and guest of different families" families_meet
check "chosen port is told" chosen_port_is_told
check "clients are seen as the gateway" \
	clients_keep_their_address source=gateway 10.0.2.2 \
	fec0:0000:0000:0000:0000:0000:0000:0002
check "clients keep their address" \
	clients_keep_their_address source=keep 192.0.2.2 \
	2001:0db8:0000:0000:0000:0000:0000:0002
check "one client port of two forwards to one guest port" \
	one_client_port_of_two_forwards
check "200 connections are spread over the queues" connections_are_spread
check "bulk, and CRR" bulk_passes
check "datagrams by two forwards to one port" datagrams_pass
check "guest reaches a unix socket" guest_reaches_a_unix_socket
check "guest reaches an address" guest_reaches_an_address
exit $failed
