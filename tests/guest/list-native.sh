# SPDX-License-Identifier: BSD-3-Clause
# What is tested on this host's own KVM, with the guest that runs there.

# A failure of the image, the server or the host shows here, without us.
control_list() {
	vmm=qemu
	overlay=$images/curl.gz
	guest_boot "control, 2 CPUs" 2 512 cpus,dhcp,ping,udp,refused,curl,crr,bulk
	overlay=
	vmm=mqvmm
}

mqvmm_list() {
	for cpus in 1 2 4 8; do
		guest_boot "$cpus CPUs" $cpus 512 \
			cpus,queues,affinity,dhcp,dns,ping,udp,fragments,refused,ipv6,crr,bulk,resize,rebind
	done

	overlay=$images/curl.gz
	guest_boot "with curl" 2 512 curl
	overlay=

	append="pci=nomsi mq.crr=2000 mq.bulk=16M"
	guest_boot "pci=nomsi" 2 512 nomsi,crr,bulk
	append=

	append="mq.crr=2000 mq.bulk=16M"
	net=,engine=epoll
	guest_boot "engine=epoll" 2 512 dhcp,dns,ping,udp,refused,crr,bulk
	net=
	append=

	guest_budget 1 kicks=3.5 interrupts=3 syscalls=23 exits=45 waits=6.5 \
		voluntary_switches=7.5
	guest_budget 8 kicks=1.7 interrupts=1.3 syscalls=18 exits=30 waits=3.8 \
		voluntary_switches=3.5

	append=mq.net=no
	guest_boot "6 GiB" 2 6144 memory
	append=

	append="mq.net=no mq.then=reboot"
	guest_boot "reboots with --no-reboot" 1 512 cpus 3
	append=
	guest_restarts "reboots" 2 512 cpus,dhcp,ping 3
	guest_controlled "with --control" 2 512
	[ "$guest" != stock ] || topology_list
}

# The cpl3 guest sees the host's CPUID, whatever the VMM sets.
topology_list() {
	topology=sockets=2,cores=2,threads=2
	append="mq.net=no mq.topology=2,2,2"
	guest_boot "8 CPUs as 2x2x2" 8 512 cpus,topology
	append=
	topology=
}
