#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench.sh MQVMM MQLOAD: mqvmm bench as its users see it: reports that are
# complete, or tell that they are not.
mqvmm=$1
. "$(dirname "$0")/lib.sh"
cp "$2" "$work/mqload" # its processes can be told from others'
export MQLOAD=$work/mqload

bench() {
	timeout -k 5 120 "$mqvmm" bench --quick --systems direct,netns "$@"
}

# ask REPORT EXPRESSION: a Python expression about r, a result.json, is true
ask() {
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1] + "/result.json"))
sys.exit(not eval(sys.argv[2]))' "$work/$1" "$2"
}

complete() {
	bench --seconds 0.3 --rounds 2 --output "$work/whole" &&
		ask whole 'r["complete"]' &&
		ask whole 'set(r["systems"]) == {"direct", "netns"}' &&
		ask whole 'all(row["samples"] == 2 and row["errors"] == 0
			and row["per_second"] > 0
			for s in r["systems"].values() for row in s["concurrent"])' &&
		ask whole 'all([(row["mode"], row["flows"]) for row in s["concurrent"]] == [
			(mode, m) for mode in ("crr", "rr", "up", "down") for m in (1, 2)]
			for s in r["systems"].values())' &&
		grep -q '^## Counts per transaction' "$work/whole/report.md" &&
		grep -q '</html>' "$work/whole/report.html"
}

all_kinds() {
	bench --scenarios bulk,rx,udp,loss,dnsq,open,mixed,ramp --queues 1,2 --flows 2 \
		--seconds 0.3 --rounds 1 --output "$work/kinds" &&
		ask kinds 'r["complete"] and set(r["systems"]) == {
			"direct", "netns/1", "netns/2"}' &&
		ask kinds 'all({row["mode"] for row in s["concurrent"] if row["samples"] == 1} == {
			"bulk", "rx", "udp", "loss", "dnsq", "open", "mixed", "ramp"}
			for s in r["systems"].values())'
}

counted() {
	ask whole 'all(row["counts_per_transaction"]["system calls"] > 1
		for row in r["systems"]["netns"]["concurrent"] if row["mode"] == "crr")'
}

measured_one() {
	grep -qs '"done"' "$work/part/samples.json"
}

interrupted() {
	"$mqvmm" bench --quick --systems direct,netns --rounds 50 --output "$work/part" &
	local bench=$! status=0
	servers+=($bench)
	within 60 measured_one && kill -INT $bench
	wait $bench || status=$?
	[ $status = 130 ] &&
		ask part 'not r["complete"]' &&
		ask part 'r["systems"]["direct"]["concurrent"][0]["samples"] >= 1' &&
		grep -q INCOMPLETE "$work/part/report.md" &&
		grep -q INCOMPLETE "$work/part/report.html"
}

nothing_left() {
	! pgrep -f "$work/mqload"
}

side_by_side() {
	bench --systems netns --flows 1 --seconds 0.1 --rounds 1 --output "$work/ab" \
		--programs "a=$mqvmm,b=$mqvmm" &&
		"$mqvmm" bench compare "$work/ab/samples-a.json" "$work/ab/samples-b.json" |
		grep '^0 of [0-9]* figures differ'
}

# slirp4netns that answers for its version, and else never: cut at its limit.
hanging() {
	local status=0
	mkdir "$work/hangs"
	cp "$(command -v sleep)" "$work/hangs/forever"
	cat >"$work/hangs/slirp4netns" <<-END
		#!/bin/sh
		[ "\$1" = --version ] && echo 'slirp4netns version 9' && exit
		exec "$work/hangs/forever" 4321
	END
	chmod +x "$work/hangs/slirp4netns"
	PATH=$work/hangs:$PATH timeout -k 5 120 "$mqvmm" bench --systems slirp4netns,direct \
		--scenarios crr --flows 1 --seconds 0.3 --rounds 1 --output "$work/hung" || status=$?
	[ $status = 1 ] &&
		ask hung 'r["complete"] and r["systems"]["slirp4netns"]["concurrent"] == []' &&
		ask hung 'r["systems"]["direct"]["concurrent"][0]["per_second"] > 0' &&
		grep '^- slirp4netns crr-1: cut at its limit: nothing within' "$work/hung/report.md"
}

hanging_ended() {
	! pgrep -f "$work/hangs/forever"
}

wrong() {
	local status=0
	"$mqvmm" bench "$@" --output "$work/wrong" 2>"$work/said" || status=$?
	[ $status = 2 ] && [ -s "$work/said" ] && ! grep Traceback "$work/said"
}

skipped() {
	PATH=$work/bin wrong --systems pasta && grep '^skipped pasta: ' "$work/said"
}

mkdir "$work/bin"
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$work/bin/python3"
check "a run makes a complete report" complete
check "what a connection cost is counted" counted
check "every kind of load is measured, queues side by side" all_kinds
check "a scenario that does not exist is refused" wrong --scenarios crr,other
check "Ctrl-C leaves a report of what was measured" interrupted
check "Ctrl-C leaves no process" within 10 nothing_left
check "a system that hangs is cut and told, and others are measured" hanging
check "what hung is ended" within 10 hanging_ended
check "two builds are compared side by side" side_by_side
check "a system that does not exist is refused" wrong --systems other
check "no flows are refused" wrong --flows 0
check "a build that is no program is refused" wrong --programs a=/nowhere,b
check "a system that is not installed is skipped with a line" skipped
check "a file that is no report is refused" wrong compare /etc/passwd /etc/passwd
exit $failed
