# SPDX-License-Identifier: BSD-3-Clause
# In the guest, for `mqvmm bench`: each line of bench.plan is a warm-up of mqload
# and, behind "|", a sample. The server is behind the default gateway, whatever
# address that has. Speaks to the console at once, for the host reads along:
# bench/mqbench/virtual.py says what.
. /checks/lib.sh
host=$(ip route | awk '$1 == "default" { print $3; exit }')
number=0
echo "0 0" >/proc/sys/net/ipv4/ping_group_range
sed "s/HOST/$host/g" /checks/bench.plan | while IFS='|' read -r warm_up sample; do
	# shellcheck disable=SC2086 # words
	mqload $warm_up >/dev/null 2>&1
	echo "MQ-WARM $number" >/dev/console
	sleep 0.3 # the host reads counters
	# shellcheck disable=SC2086 # words
	mqload $sample >/run/sample 2>/run/complaint
	echo "MQ-SAMPLE $number $(grep '^{' /run/sample)" >/dev/console
	sleep 0.3 # the same
	number=$((number + 1))
done
