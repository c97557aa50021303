# SPDX-License-Identifier: BSD-3-Clause
# All CPUs that the VMM was asked for are online.
. /checks/lib.sh
[ "$(nproc)" = "$mq_cpus" ] || fail "$(nproc) CPUs of $mq_cpus"
[ "$(cat /sys/devices/system/cpu/online)" = "$(cat /sys/devices/system/cpu/present)" ] ||
	fail "online: $(cat /sys/devices/system/cpu/online)"
