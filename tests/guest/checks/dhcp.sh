# SPDX-License-Identifier: BSD-3-Clause
# DHCP gave the addresses that users of QEMU know.
. /checks/lib.sh
ip -4 addr show $device | grep -q 'inet 10.0.2.15/24 ' || fail "$(ip -4 addr show $device)"
ip route | grep -q '^default via 10.0.2.2 ' || fail "routes: $(ip route)"
grep -qx 'nameserver 10.0.2.3' /etc/resolv.conf || fail "DNS: $(cat /etc/resolv.conf)"
