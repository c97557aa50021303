# SPDX-License-Identifier: BSD-3-Clause
# In the nested rig, for `mqvmm bench` on hosts whose KVM runs no guest: with each
# of FLOWS two guests that make few and many connections, and what mqvmm counted:
#
#   MQ-COUNTS FLOWS CONNECTIONS {}	as --stats writes it, in one line
#
# Their difference is what the connections cost. $fewer and $more say how many.
. /bench/guest/vm.sh
mqvmm=/bin/mqvmm mqload=/bin/mqload images=/images guest=stock
work=/tmp/count
mkdir -p $work
vmm_extra="--stats $work/stats"
kernel_setup
initrd_setup
serve server server --threads 2
for flows; do
	for count in "$fewer" "$more"; do
		: >$work/console
		(vm_exec 2 512 "mq.run=crr mq.port=$port_server mq.flows=$flows mq.crr=$count mq.limit=200" \
			$work/console) </dev/null >/dev/null 2>&1
		if ! grep -q '^MQ-OK crr' $work/console; then
			tail -n 5 $work/console
			exit 1
		fi
		echo "MQ-COUNTS $flows $count $(tr -d '\n' <$work/stats)"
	done
done
