# SPDX-License-Identifier: BSD-3-Clause
# In the guest: what an access costs that leaves it. Boot with mq.run=exit-cost.
. /checks/lib.sh
device=$(dirname "$(grep -l 0x1041 /sys/bus/pci/devices/*/device | head -n 1)")
# Transmit queue 0's doorbell; one of no queue; a port of nobody's; the call alone.
for access in "$device doorbell 1" "$device doorbell 8" "$device config" \
	"/dev/port out 0x80" "/dev/zero out 0x80"; do
	# shellcheck disable=SC2086 # words
	echo "$access: $(exit-cost $access)"
done
