# SPDX-License-Identifier: BSD-3-Clause
# What the checks share; each is run by the guest's /init in a shell of its own
# with the parameters of the kernel command line as mq_KEY. A check's last line
# of output says why it failed.
host=10.0.2.2
device=eth0

fail() {
	echo "$*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# load MODE ARGUMENT...: runs a load against the host's server, without errors.
load() {
	mode=$1
	shift
	mqload "$mode" --to "$host:$mq_port" "$@" || fail "mqload $mode had errors"
}

# vectors: "NAME COUNT KIND" for each interrupt of the network device.
vectors() {
	virtio=$(basename "$(readlink "/sys/class/net/$device/device")")
	awk -v name="$virtio" '
		NR == 1 { cpus = NF; next }
		index($NF, name) == 1 {
			sum = 0
			for (i = 2; i <= cpus + 1; i++) sum += $i
			print $NF, sum, $(cpus + 2)
		}' /proc/interrupts
}

# dhcp: asks for an address, as /init did.
dhcp() {
	ip link set "$device" up
	udhcpc -i "$device" -q -n -t 10 -T 1 -s /etc/udhcpc.script ||
		fail "no address by DHCP"
}
