# SPDX-License-Identifier: BSD-3-Clause
# The guest has the memory that it was given, and can use what lies above 4 GiB.
. /checks/lib.sh
mib=$(($(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) / 1024))
echo "$mib MiB of $mq_memory"
[ $((mib * 100)) -gt $((mq_memory * 90)) ] && [ $mib -le "$mq_memory" ] ||
	fail "$mib MiB of $mq_memory MiB"
grep -i 'System RAM' /proc/iomem
[ "$mq_memory" -le 4096 ] || grep -q '^1[0-9a-f]\{8\}-.*System RAM' /proc/iomem ||
	fail "no RAM above 4 GiB"
mount -t tmpfs -o size=256m tmpfs /tmp
before=$(dd if=/dev/zero bs=1M count=128 2>/dev/null | tee /tmp/zero | md5sum)
[ "$(md5sum </tmp/zero)" = "$before" ] || fail "memory does not keep what is written"
