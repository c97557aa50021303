# SPDX-License-Identifier: BSD-3-Clause
# In the guest, for bench/compare.sh: one line of mqload for each scenario. The
# server is behind the default gateway, whatever address that has.
. /checks/lib.sh
host=$(ip route | awk '$1 == "default" { print $3; exit }')
mqload crr --to "$host:$mq_port" --flows 2 --count 100 >/dev/null || fail "no CRR at all"
for flows in 1 2 4 8; do
	mqload crr --to "$host:$mq_port" --flows $flows --pin --seconds "$mq_seconds"
done
mqload rr --to "$host:$mq_port" --flows 1 --pin --seconds "$mq_seconds"
mqload up --to "$host:$mq_port" --flows 2 --pin --seconds "$mq_seconds"
mqload down --to "$host:$mq_port" --flows 2 --pin --seconds "$mq_seconds"
