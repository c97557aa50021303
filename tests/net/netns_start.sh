#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# netns_start.sh MQVMM MQLOAD: mqvmm netns in namespaces that exist, and where
# it cannot start. Needs root.
mqvmm=$1 mqload=$2
. "$(dirname "$0")/lib.sh"

space=mqvmm-$$
trap 'ip netns del $space; ip netns del $space-2 2>/dev/null; clean_up' EXIT
chmod 755 "$work"
mkdir "$work/dev"
cp "$mqvmm" "$work/mqvmm"
mqvmm=$work/mqvmm
ip netns add $space || exit 1

start_server load "$mqload" server --port 0
load=$port

nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# serve ARGUMENT...: starts mqvmm netns without a command, sets $pid once it is
# ready
serve() {
	: >"$work/serve"
	setpriv --pdeathsig KILL "$mqvmm" netns "$@" >"$work/serve" 2>&1 &
	pid=$!
	servers+=($pid)
	within 10 grep -q '^serving ' "$work/serve" ||
		{ cat "$work/serve"; return 1; }
}

# stops SIGNAL STATUS: what serve() started ends so by SIGNAL
stops() {
	local status=0
	kill "-$1" $pid
	wait $pid || status=$?
	[ $status = "$2" ]
}

reach_host() { # PREFIX...: a command that runs another in a namespace
	timeout 20 "$@" curl -sf --max-time 10 -o /dev/null \
		"http://10.0.2.2:$load/1000"
}

namespace_is_served_by_name() {
	serve --queues 2 --netns $space && reach_host ip netns exec $space &&
		stops TERM 0 && ! ip -n $space link show eth0
}

namespace_is_served_by_path() {
	serve --netns /run/netns/$space --interface tap3 &&
		reach_host ip netns exec $space &&
		ip -n $space link show tap3 && stops INT 0
}

has_left() { # PID: it is in another namespace than this script
	[ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$1/ns/net")" ]
}

namespace_of_a_process_is_served_until_it_ends() {
	local sleeper
	unshare --net sleep 1000 &
	sleeper=$!
	servers+=($sleeper)
	within 10 has_left $sleeper &&
		serve --netns /proc/$sleeper/ns/net &&
		reach_host nsenter --net=/proc/$sleeper/ns/net &&
		kill -KILL $sleeper && wait $pid
}

service_ends_when_the_name_is_deleted() {
	ip netns add $space-2 && serve --netns $space-2 &&
		ip netns del $space-2 && wait $pid
}

command_is_run_in_the_namespace() {
	local inode
	inode=$(ip netns exec $space readlink /proc/self/ns/net)
	[ "$(timeout 20 "$mqvmm" netns --netns $space -- sh -c '
		readlink /proc/self/ns/net
		grep -x "nameserver 10.0.2.3" /etc/resolv.conf')" = \
		"$inode
nameserver 10.0.2.3" ] && ! ip -n $space link show eth0
}

service_ignores_hangup_under_nohup() {
	: >"$work/serve"
	setpriv --pdeathsig KILL env --ignore-signal=HUP "$mqvmm" netns \
		--netns $space >"$work/serve" 2>&1 &
	pid=$!
	servers+=($pid)
	within 10 grep -q '^serving ' "$work/serve" && kill -HUP $pid &&
		reach_host ip netns exec $space && stops TERM 0
}

netns() {
	timeout 20 "$mqvmm" netns "$@"
}

# refuses WORDS COMMAND...: COMMAND fails with 125 and one sentence that has
# WORDS
refuses() {
	local words=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[ $status = 125 ] && [ ! -s "$work/out" ] &&
		[ "$(wc -l <"$work/err")" = 1 ] && grep -q "^mqvmm: " "$work/err" &&
		grep -qF -- "$words" "$work/err"
}

# with_device MODE|none COMMAND...: with another /dev/net/tun
with_device() {
	unshare --mount --propagation private sh -ec '
		mount -t tmpfs tmpfs "$1"
		[ "$2" = none ] || mknod -m "$2" "$1/tun" c 10 200
		mount --bind "$1" /dev/net
		shift 2
		exec timeout 20 "$@"' sh "$work/dev" "$@"
}

# Where nothing may be had but by a new user namespace, and that neither.
without_user_namespaces() {
	with_device 666 unshare --user --map-root-user sh -ec '
		echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --bounding-set=-all --inh-caps=-all "$@"' sh "$@"
}

# A process whose root is not its mount namespace's may not make one.
in_a_chroot() {
	with_device 666 sh -ec '
		mkdir "$1/root"
		mount --rbind / "$1/root"
		root=$1
		shift
		exec chroot --userspec=65534:65534 "$root/root" "$@"' sh \
		"$work/dev" "$@"
}

taken_interface_is_refused() {
	ip -n $space tuntap add dev eth0 mode tap &&
		refuses --interface netns --netns $space -- true &&
		serve --netns $space --interface eth1 && reach_host ip netns exec \
		$space && refuses "eth1 already" netns --netns $space \
		--interface eth1 -- true && stops TERM 0
}

port_in_use_is_refused() {
	refuses hostfwd netns \
		--net "hostfwd=tcp:127.0.0.1:$load-:80" -- true ||
		refuses "$load" netns \
			--net "hostfwd=tcp:127.0.0.1:$load-:80" -- true
}

doctor_tells_whether_it_works() {
	timeout 60 "$mqvmm" doctor | grep '^ok  *netns ' &&
		with_device none "$mqvmm" doctor | grep '^note  *netns .*modprobe'
}

check "namespace is served by name" namespace_is_served_by_name
check "namespace is served by path" namespace_is_served_by_path
check "namespace of a process is served until it ends" \
	namespace_of_a_process_is_served_until_it_ends
check "service ends when the name is deleted" \
	service_ends_when_the_name_is_deleted
check "command is run in the namespace" command_is_run_in_the_namespace
check "service ignores hang-up under nohup" service_ignores_hangup_under_nohup
check "taken interface is refused" taken_interface_is_refused
check "port in use is refused" port_in_use_is_refused
check "missing namespace is refused" refuses "ip netns" \
	netns --netns $space-nothing
check "missing path is refused" refuses "/proc/PID/ns/net" \
	netns --netns "$work/nothing" -- true
check "file that is no namespace is refused" refuses "not a network namespace" \
	netns --netns "$work/mqvmm" -- true
check "other namespace is refused" refuses "not a network namespace" \
	netns --netns /proc/self/ns/uts -- true
check "namespace is refused to others than root" refuses "needs root" \
	timeout 20 "${nobody[@]}" "$mqvmm" netns --netns $space -- true
check "missing device is told" refuses "modprobe tun" \
	with_device none "$mqvmm" netns -- true
check "forbidden device is told" refuses "chmod 666 /dev/net/tun" \
	with_device 600 "${nobody[@]}" "$mqvmm" netns -- true
check "exhausted user namespaces are told" refuses user.max_user_namespaces \
	without_user_namespaces "$mqvmm" netns -- true
check "forbidden user namespaces are told" refuses unprivileged_userns_clone \
	in_a_chroot "$mqvmm" netns -- true
check "too few descriptors are told" refuses "ulimit -n" \
	timeout 20 bash -c 'ulimit -n 12; exec "$@"' bash "$mqvmm" netns --queues 64 -- true
check "doctor tells whether it works" doctor_tells_whether_it_works
check "wrong option is refused" refuses "--help" netns --kernel k
exit $failed
