# SPDX-License-Identifier: BSD-3-Clause
# In the guest, for crr-table.sh: CRR with 1, 2, 4 and 8 flows, then how often
# each interrupt of the network device came.
. /checks/lib.sh
mqload crr --to "$host:$mq_port" --flows 2 --count 200 >/dev/null || fail "no CRR at all"
for flows in 1 2 4 8; do
	mqload crr --to "$host:$mq_port" --flows $flows --pin --seconds "$mq_seconds"
done
vectors | sed 's/^/vector /'
