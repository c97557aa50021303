#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# load.sh MQLOAD: every mode of mqload against its own server, on loopback, with
# a thread for each flow and with event loops.
mqload=$1
. "$(dirname "$0")/lib.sh"

start_server load "$mqload" server --bind :: --port 0
load4="127.0.0.1:$port" load6="[::1]:$port"
start_server dns "$mqload" dns --port 0
dns=127.0.0.1:$port
# A socket that takes datagrams and never answers.
start_server silent python3 -c 'import signal, socket
s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1], flush=True)
signal.pause()'
silent=127.0.0.1:$port

# gives EXPRESSION MODE ARGUMENT...: the report of a run, r, is as a Python
# expression says. Of every report holds: its histogram counts what was done.
gives() {
	local expression=$1
	shift
	timeout -k 5 60 "$mqload" "$@" --json >"$work/json"
	status=$?
	python3 -c 'import json, sys
text = sys.stdin.read()
r = json.loads(text)
print({name: r[name] for name in r if name != "histogram_us"})
assert text.count("\n") == 1 and r["errors"] == sum(r["errors_by_kind"].values())
assert sum(count for _, count in r["histogram_us"]) == r["done"]
assert all(a[0] < b[0] for a, b in zip(r["histogram_us"], r["histogram_us"][1:]))
assert len(r["per_flow"]) == r["flows"] and 0 < r["fairness"] <= 1
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$expression" <"$work/json"
}

succeeds_and_gives() {
	gives "$@" && [ $status = 0 ]
}

fails_and_gives() {
	gives "$@" && [ $status = 1 ]
}

works='r["errors"] == 0 and r["done"] > 0'
for threads in 0 2; do
	how="--flows 4 --threads $threads"
	ran=4
	[ $threads = 0 ] || ran=2
	# shellcheck disable=SC2086 # $how is words
	for mode in crr rr rx udp; do
		check "$mode, $how" succeeds_and_gives "$works and r['threads'] == $ran and
			sum(r['per_flow']) == r['done']" \
			$mode --to "$load4" $how --seconds 0.5 --pin
		check "$mode to IPv6, exactly so many, $how" succeeds_and_gives \
			"$works and r['done'] == 201" \
			$mode --to "$load6" $how --count 201 --size 1000
		check "$mode at a rate, $how" succeeds_and_gives \
			"$works and r['done'] + r['missed'] == 200 and
			r['lateness_us']['max'] >= 0" \
			$mode --to "$load4" $how --seconds 0.5 --rate 400
	done
	# shellcheck disable=SC2086
	for mode in up down; do
		check "$mode, every byte, $how" succeeds_and_gives \
			"$works and r['bytes'] == sum(r['per_flow']) == 8 << 20" \
			$mode --to "$load4" $how --count 8M --verify
		check "$mode for a time, $how" succeeds_and_gives "$works and r['mbps'] > 0" \
			$mode --to "$load6" $how --seconds 0.3
	done
	# shellcheck disable=SC2086
	check "DNS queries, $how" succeeds_and_gives "$works and r['loss'] == 0" \
		dnsq --to "$dns" $how --count 200
	# shellcheck disable=SC2086
	check "DNS queries of new names, $how" succeeds_and_gives "$works" \
		dnsq --to "$dns" $how --count 200 --name '*.mqload.test'
	# shellcheck disable=SC2086
	check "names that do not exist are answers, $how" succeeds_and_gives "$works" \
		dnsq --to "$dns" $how --count 20 --name nx.test
	# shellcheck disable=SC2086
	check "UDP stream, $how" succeeds_and_gives "r['errors'] == 0 and
		r['done'] + r['missed'] + round(r['loss'] * (500 - r['missed'])) == 500
		and r['done'] > 0" \
		udpstream --to "$load4" $how --rate 1000 --seconds 0.5 --size 1200
	# shellcheck disable=SC2086
	check "ramp, $how" succeeds_and_gives "$works and r['done'] == 600 and
		r['use']['done'] == 600 and r['use']['errors'] == 0" \
		ramp --to "$load4" $how --count 600 --hold 0.2
	# shellcheck disable=SC2086
	check "CRR beside streams, $how" succeeds_and_gives "$works and
		r['up']['mbps'] > 0 and r['down']['mbps'] > 0 and
		r['up']['flows'] == r['down']['flows'] == 2" \
		mixed --to "$load6" $how --bulk 2 --seconds 0.5
	# shellcheck disable=SC2086
	check "refused connections are errors, $how" fails_and_gives \
		"r['errors_by_kind']['refused'] == r['errors'] == 20 and
		r['done'] == 0" crr --to 127.0.0.1:1 $how --count 20
	# shellcheck disable=SC2086
	check "no answer is a loss and an error in its time, $how" fails_and_gives \
		"r['errors_by_kind']['timeout'] == r['errors'] == 4 and
		r['loss'] == 1" udp --to "$silent" $how --count 4 --timeout 1
done

# The clock of a time namespace is another than the server's, as a guest's is.
cat >"$work/ahead" <<-END
	#!/bin/sh
	exec unshare --time --monotonic 86400 --fork --kill-child "$mqload" "\$@"
END
chmod +x "$work/ahead"
mqload=$work/ahead check "rx tells an answer's way though clocks differ" succeeds_and_gives \
	"$works and 1 < r['latency_us']['p50'] < r['latency_us']['max'] < 1e7" \
	rx --to "$load4" --count 1000

# ping of loopback in a network of its own, where everyone may
permitted() {
	timeout -k 5 60 unshare --net bash -c 'ip link set lo up &&
		echo 0 65535 >/proc/sys/net/ipv4/ping_group_range && exec "$@"' \
		- "$mqload" ping "$@"
}

unpermitted() {
	timeout -k 5 60 unshare --net bash -c 'ip link set lo up &&
		echo 1 0 >/proc/sys/net/ipv4/ping_group_range && exec "$@"' \
		- "$mqload" ping --to 127.0.0.1 --count 1 >"$work/ping" 2>&1
	[ $? = 77 ] && grep 'not permitted.*ping_group_range' "$work/ping"
}

for to in 127.0.0.1 ::1; do
	for threads in 0 1; do
		check "ping $to, --threads $threads" permitted --to $to --flows 3 \
			--threads $threads --count 100 --size 1000
	done
done
check "ping says that it is not permitted" unpermitted

# It echoes, but stands still for a second from the tenth datagram on.
start_server late python3 -c 'import socket, time
s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1], flush=True)
for count in range(1 << 30):
    datagram, sender = s.recvfrom(65536)
    if count == 10:
        time.sleep(1)
    s.sendto(datagram, sender)'
check "latency counts from the intended start" succeeds_and_gives \
	"r['done'] == 100 and r['latency_us']['p50'] > 300000 and
	r['lateness_us']['max'] > 900000" \
	udp --to "127.0.0.1:$port" --rate 100 --count 100
exit $failed
