# SPDX-License-Identifier: BSD-3-Clause
# What is tested with Debian's own kernel on genuine KVM in the nested rig. A
# boot takes some 20 s there, so this list is short and its loads are small.

boot_limit_s=75 # each takes 20 to 50

mqvmm_list() {
	append="mq.crr=500 mq.bulk=4M"
	guest_boot "2 CPUs" 2 512 \
		cpus,queues,dhcp,dns,ping,udp,refused,ipv6,crr,bulk,resize,rebind

	append="mq.crr=500"
	guest_boot "4 CPUs" 4 512 cpus,queues,affinity,crr

	append=
	budget_fewer=200
	budget_more=700
	guest_budget 8 kicks=4 interrupts=3 syscalls=25 exits=60 waits=8

	topology=sockets=2,cores=2,threads=2
	append="mq.topology=2,2,2 mq.net=no"
	guest_boot "8 CPUs as 2x2x2" 8 512 cpus,topology
	topology=

	append="pci=nomsi mq.crr=500"
	guest_boot "pci=nomsi" 1 512 nomsi,crr
	append=

	guest_restarts "reboots" 1 512 cpus,ping 2
}
