# SPDX-License-Identifier: BSD-3-Clause
# The guest makes itself an address from the router's prefix, has a default
# route, and reaches the host's ::1 by TCP and the gateway by ping.
. /checks/lib.sh
[ -n "$mq_port6" ] || skip "the host has no IPv6"
has_address() {
	for _ in $(seq "$1"); do
		ip -6 addr show $device | grep 'inet6 fec0:' | grep -vq tentative && return
		sleep 0.1
	done
	return 1
}

# Linux 6.1 can miss that the link comes up just as it is opened, whatever VMM
# it runs under; then it has no IPv6 at all until it looks again.
if ! has_address 40; then
	echo 1 >/proc/sys/net/ipv6/conf/$device/disable_ipv6
	echo 0 >/proc/sys/net/ipv6/conf/$device/disable_ipv6
	has_address 60
fi
ip -6 addr show $device | grep -q 'inet6 fec0:' || fail "$(ip -6 addr show $device)"
ip -6 route | grep -q '^default via fe80::2 ' || fail "routes: $(ip -6 route)"
ping6 -c 2 -i 0.2 -W 2 fec0::2 | tee /run/ping
grep -q ' 0% packet loss' /run/ping || fail "lost pings"
host=[fec0::2] mq_port=$mq_port6
load crr --flows 4 --count "${mq_crr:-2000}"
load up --flows 2 --count "${mq_bulk:-16M}" --verify
load down --flows 2 --count "${mq_bulk:-16M}" --verify
load udp --count 200
