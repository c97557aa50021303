#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# dns.sh MQVMM: dig behind the NAT, dnsmasq on a host of its own: a network
# namespace with nothing but loopback and a net that swallows everything. Needs
# root. Exit status: 0 passed, 1 failed, 77 skipped.
set -u
export LC_ALL=C mqvmm=$1

if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
	echo "skipped: needs root and /dev/net/tun for a namespace"
	exit 77
fi
if ! command -v dnsmasq >/dev/null; then
	echo "skipped: needs dnsmasq (package dnsmasq-base)"
	exit 77
fi
if [ -z "${dns_inside:-}" ]; then
	dns_inside=1 exec unshare --net --mount bash "$0" "$@"
fi

work=$(mktemp -d)
export work
failed=0
servers=()
clean_up() {
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

# within_10_seconds COMMAND...: try until it succeeds
within_10_seconds() {
	local end=$((SECONDS + 10))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
	done
}
export -f within_10_seconds

long_text() {
	for i in 1 2 3 4 5 6; do
		printf ',"%s"' "$(printf "$i%.0s" {1..240})"
	done
}

# start_resolver ADDRESS ANSWER: to a.test; "big.test" has a long TXT record
start_resolver() {
	dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
		--no-hosts --user=root --pid-file= --edns-packet-max=4096 \
		--bind-interfaces --listen-address="$1" --no-negcache \
		--host-record="a.test,$2,300" --local=/test/ --local-ttl=300 \
		--txt-record="big.test$(long_text)" 2>"$work/dnsmasq.$1" &
	servers+=($!)
	within_10_seconds answers "$2" "@$1" a.test +time=1 +tries=1 ||
		{ echo "no resolver"; cat "$work/dnsmasq.$1"; exit 1; }
}

answers() { # ANSWER ARGUMENT...
	[ "$(dig +short +nocookie "${@:2}")" = "$1" ]
}
export -f answers

# guest OPTION... -- FUNCTION: run it behind the NAT, 60 seconds at most
guest() {
	timeout -k 5 60 "$mqvmm" netns "${@:1:$#-1}" bash -c "set -eu; ${*: -1}"
}

check() { # FUNCTION
	if "$1" >"$work/log" 2>&1; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$work/log" | tail -n 20
		failed=1
	fi
}

counter() { # NAME
	grep -o "\"$1\":[0-9]*" "$work/stats" | cut -d: -f2 | paste -sd+ | bc
}

one=192.0.2.1 two=192.0.2.2
export one two
local_resolver="resolver=127.0.0.1"

ip link set lo up
ip tuntap add swallow mode tun
ip address add 198.51.100.1/24 dev swallow
ip link set swallow up
cp /etc/passwd /etc/group "$work"
mount -t tmpfs tmpfs /etc
cp "$work/passwd" "$work/group" /etc
ln -s "$work/current" /etc/resolv.conf
start_resolver 127.0.0.1 $one
start_resolver 127.0.0.2 $two

dns_over_udp_and_tcp() {
	guest --net $local_resolver -- \
		'answers $one @10.0.2.3 a.test; answers $one @10.0.2.3 a.test +tcp'
}

dns_at_the_ipv6_address() {
	[ -e /proc/net/if_inet6 ] || return 0
	guest --net $local_resolver -- \
		'answers $one @fec0::3 a.test; answers $one @fec0::3 a.test +tcp'
}

second_answer_comes_from_the_cache() {
	guest --queues 1 --net $local_resolver --stats "$work/stats" -- \
		'for name in a.test A.TEST a.Test; do
			answers $one @10.0.2.3 $name
		done' || return 1
	[ "$(counter dns_cache_hits)" = 2 ] &&
		[ "$(counter dns_cache_misses)" = 1 ]
}

cache_can_be_off() {
	guest --queues 1 --net $local_resolver,dnscache=off \
		--stats "$work/stats" -- \
		'answers $one @10.0.2.3 a.test; answers $one @10.0.2.3 a.test' ||
		return 1
	[ "$(counter dns_cache_hits)" = 0 ]
}

long_answer_comes_whole() {
	guest --queues 1 --net $local_resolver,mtu=1500 --stats "$work/stats" -- '
		dig +short @10.0.2.3 big.test TXT +bufsize=4096 +ignore |
			grep 666666
		dig @10.0.2.3 big.test TXT +bufsize=512 +ignore | grep "flags:.* tc"
		dig +short @10.0.2.3 big.test TXT +bufsize=512 | grep 666666' ||
		return 1
	[ "$(counter tcp_flows)" -ge 1 ]
}

missing_name_is_told() {
	guest --net $local_resolver -- \
		'dig @10.0.2.3 missing.test | grep "status: NXDOMAIN"'
}

resolver_that_refuses_is_left_at_once() {
	guest --net resolver=127.0.0.1:9,$local_resolver -- '
		answers $one @10.0.2.3 a.test +tcp +time=1 +tries=1
		answers $one @10.0.2.3 a.test +time=1 +tries=1'
}

silent_resolver_is_left_for_the_next_by_udp() {
	guest --queues 1 --net resolver=198.51.100.9,$local_resolver -- '
		answers $one @10.0.2.3 a.test +time=5 +tries=1
		answers $one @10.0.2.3 a.test +tcp +time=1 +tries=1'
}

silent_resolver_is_left_for_the_next_by_tcp() {
	guest --queues 1 --net resolver=198.51.100.9,$local_resolver -- '
		answers $one @10.0.2.3 a.test +tcp +time=5 +tries=1
		answers $one @10.0.2.3 a.test +time=1 +tries=1'
}

# point_to NAME: resolv.conf leads to this file now
point_to() {
	ln -s "$work/$1" "$work/next"
	mv -T "$work/next" "$work/current"
}
export -f point_to

is_servfail() {
	dig @10.0.2.3 a.test +tries=1 +time=2 | grep "status: SERVFAIL"
}
export -f is_servfail

# Inside, what resolv.conf leads to is hidden behind the namespace's own.
write_second_when_told() {
	timeout 60 sh -c 'until [ -e "$1/told" ]; do sleep 0.1; done
		echo "nameserver 127.0.0.1" >"$1/second"' - "$work" &
}

resolv_conf_is_followed() {
	echo "nameserver 127.0.0.1" >"$work/first"
	echo "# nobody" >"$work/nobody"
	echo "nameserver 127.0.0.2" >"$work/second"
	point_to first
	write_second_when_told
	guest -- '
		answers $one @10.0.2.3 a.test
		point_to nobody
		within_10_seconds is_servfail
		point_to second
		within_10_seconds answers $two @10.0.2.3 a.test
		answers $two @10.0.2.3 a.test +tcp
		touch $work/told
		within_10_seconds answers $one @10.0.2.3 a.test'
}

for test in dns_over_udp_and_tcp dns_at_the_ipv6_address \
	second_answer_comes_from_the_cache cache_can_be_off \
	long_answer_comes_whole missing_name_is_told \
	resolver_that_refuses_is_left_at_once \
	silent_resolver_is_left_for_the_next_by_udp \
	silent_resolver_is_left_for_the_next_by_tcp resolv_conf_is_followed; do
	check $test
done
exit $failed
