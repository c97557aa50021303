# SPDX-License-Identifier: BSD-3-Clause
# How a guest image is started, for any POSIX shell (busybox runs it in the
# nested rig); the guest tests and crr-table.sh are built on it.
#
# Set by the caller: mqvmm and mqload (programs), images (DIR of
# build-images.sh), guest (cpl3 or stock), work (a folder of the caller's).

vmm=mqvmm    # or qemu
topology=    # sockets=,cores=,threads= behind the number of CPUs
append=      # more words for the guest's command line
queues=      # of mqvmm's device; one for each CPU
net=         # more options for --net, each with a comma before it
netdev=user  # QEMU's -netdev, without its id
vmm_extra=   # more arguments for the VMM
reboot=no    # yes: a guest that reboots starts again (mqvmm only)
overlay=     # an image to unpack over the guest's
pids=        # processes to end at the end

# serve NAME ARGUMENT...: starts an mqload server; its port is in port_NAME.
serve() {
	name=$1
	shift
	mkfifo "$work/$name"
	"$mqload" "$@" >"$work/$name" &
	pids="$pids $!"
	port=
	read -r _ port <"$work/$name" || :
	[ -n "$port" ] || { echo "mqload $name did not start" >&2; exit 1; }
	eval "port_$name=$port"
}

# For the caller's EXIT trap.
cleanup() {
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
	rm -rf "$work"
}

# The kernel of the guest, and what it needs to be told on this host.
kernel_setup() {
	case $guest in
	cpl3)
		kernel=$images/cpl3-vmlinux
		khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
		kernel_append="tsc_early_khz=$khz tsc=reliable no_timer_check"
		;;
	stock)
		kernel=$images/stock-vmlinuz
		kernel_append="tsc=reliable no_timer_check"
		;;
	esac
}

initrd_setup() {
	initrd=$images/$guest-initramfs.gz
	[ -n "$overlay" ] || return 0
	cat "$initrd" "$overlay" >"$work/initrd"
	initrd=$work/initrd
}

# vm_exec CPUS MEMORY_MIB PARAMETERS CONSOLE: runs the VMM in the place of this
# shell. PARAMETERS are the guest's mq.KEY=VALUE; a console of "stdio" is the
# VMM's standard output, any other a file.
vm_exec() {
	line="console=ttyS0 quiet panic=-1 $kernel_append $3 $append"
	if [ $vmm = mqvmm ]; then
		[ $reboot = yes ] || vmm_extra="--no-reboot $vmm_extra"
		exec "$mqvmm" run --kernel "$kernel" --initrd "$initrd" \
			--append "$line" --cpus "$1${topology:+,$topology}" \
			--memory "$2M" --net "queues=${queues:-$1}$net" --serial "$4" $vmm_extra
	fi
	serial=file:$4
	[ "$4" != stdio ] || serial=stdio
	machine="-M q35 -cpu host"
	[ "$guest" != cpl3 ] ||
		machine="-M microvm,acpi=on,pcie=on,rtc=on -cpu host,-arch-capabilities"
	exec qemu-system-x86_64 -accel kvm $machine -smp "$1" -m "$2" \
		-nodefaults -display none -no-reboot -kernel "$kernel" \
		-initrd "$initrd" -append "$line" -serial "$serial" \
		-netdev "$netdev,id=n" -device virtio-net-pci,netdev=n $vmm_extra
}
