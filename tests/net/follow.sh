#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# follow.sh MQVMM: shards follow a cpuset that shrinks under them. Needs root
# and a cpuset that can be made. Exit status: 0 passed, 1 failed, 77 skipped.
mqvmm=$1
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# The cpuset hierarchy, of either version
for root in /sys/fs/cgroup/cpuset /sys/fs/cgroup /sys/fs/cgroup/unified; do
	set=$root/mqvmm-test.$$
	mkdir "$set" 2>/dev/null || continue
	[ ! -e "$set/cpuset.cpus" ] || break
	rmdir "$set"
	set=
done
if [ -z "$set" ]; then
	echo "skipped: no cpuset can be made here"
	exit 77
fi
leave() {
	clean_up
	rmdir "$set"
}
trap leave EXIT

read -r first second <<<"$(grep Cpus_allowed_list /proc/self/status |
	cut -f 2 | tr ',-' '  ' | awk '{ print $1, $2 }')"
if [ -z "$second" ]; then
	echo "skipped: one CPU only, none can be taken away"
	exit 77
fi
cat "$root/cpuset.mems.effective" "$root/cpuset.mems" 2>/dev/null |
	head -n 1 >"$set/cpuset.mems"
echo "$first,$second" >"$set/cpuset.cpus" || exit 1

# cpus_of_shards: the CPUs that each shard of mqvmm's may use, in order
cpus_of_shards() {
	for task in /proc/"$pid"/task/*; do
		grep -q '^shard' "$task/comm" &&
			sed -n 's/^Cpus_allowed_list:\t//p' "$task/status"
	done | sort | paste -sd' '
}

shards_are_on() {
	[ "$(cpus_of_shards)" = "$1" ]
}

shards_follow() {
	sh -c "echo \$\$ >$set/cgroup.procs &&
		exec $mqvmm netns --queues 2 --place registry=off -- \
			sh -c 'echo ready; exec sleep 60'" \
		>"$work/said" 2>"$work/told" &
	pid=$!
	servers+=($pid)
	within 10 grep -q ready "$work/said" || return 1
	within 10 shards_are_on "$first $second" || { cpus_of_shards; return 1; }
	echo "$second" >"$set/cpuset.cpus"
	within 10 grep -q "CPUs of this process have changed" "$work/told" &&
		within 10 shards_are_on "$second $second"
}

carry_on() {
	[ "$(grep -c "have changed" "$work/told")" = 1 ] && kill $pid &&
		wait $pid
	[ $? = 143 ]
}

check "shards move to the CPUs that are left" shards_follow
check "it is told once, and all goes on" carry_on
cat "$work/told" | sed 's/^/# /'
exit $failed
