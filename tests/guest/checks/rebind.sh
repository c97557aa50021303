# SPDX-License-Identifier: BSD-3-Clause
# The driver is taken off the device and put back while connections run; what
# ran is lost with the interface, what comes after it is not.
. /checks/lib.sh
virtio=$(basename "$(readlink "/sys/class/net/$device/device")")
driver=/sys/bus/virtio/drivers/virtio_net
for round in 1 2 3; do
	mqload crr --to "$host:$mq_port" --flows 4 --seconds 1 --timeout 1 >/run/load 2>&1 &
	load=$!
	sleep 0.3
	echo "$virtio" >$driver/unbind || fail "cannot unbind $virtio"
	[ ! -e /sys/class/net/$device ] || fail "$device is still there"
	echo "$virtio" >$driver/bind || fail "cannot bind $virtio"
	wait $load
	dhcp
	load crr --flows 8 --count 1000
done
