# SPDX-License-Identifier: BSD-3-Clause
# The guest tier's harness, for any POSIX shell: busybox runs it in the nested
# rig. A list (list-*.sh) calls guest_boot and guest_restarts; each check of a
# guest becomes one line of TAP. Built on bench/guest/vm.sh; run.sh also sets
# slow (how many times as long things may take) and verbose.

boot_limit_s=120
budget_fewer=1000
budget_more=5000
passed=0
failed=0
skipped=0

comment() {
	sed 's/\r$//; s/^/#   /'
}

pass() {
	passed=$((passed + 1))
	echo "ok $((passed + failed + skipped)) - $1"
}

fail() {
	failed=$((failed + 1))
	echo "not ok $((passed + failed + skipped)) - $1: $2"
}

skip() {
	skipped=$((skipped + 1))
	echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"
}

# expect NAME WANT GOT
expect() {
	[ "$2" = "$3" ] && pass "$1" || fail "$1" "it was $3, not $2"
}

# summary: the last lines; fails when a test did.
summary() {
	echo "1..$((passed + failed + skipped))"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}

# The server's answer to /1000000, as curl in the guest has to see it.
http_md5() {
	printf 'GET /1000000 HTTP/1.0\r\n\r\n' |
		busybox nc -w 5 127.0.0.1 "$port_server" |
		tail -c 1000000 | md5sum | cut -d ' ' -f 1
}

services_start() {
	serve server server --threads 2
	serve dns dns
	port_server6=
	[ ! -e /proc/net/if_inet6 ] || serve server6 server --bind ::1
	md5=$(http_md5)
}

# parameters CPUS MEMORY_MIB CHECKS
parameters() {
	echo "mq.run=$3 mq.cpus=$1 mq.memory=$2 mq.port=$port_server" \
		"${port_server6:+mq.port6=$port_server6 }mq.md5=$md5 mq.limit=$((60 * slow))"
}

# took: how long the guest of vm_start ran.
took() {
	echo "# $vmm $guest $1: $(($(date +%s) - started_s)) s"
}

# Starts the VMM with guards around it: one that hangs is told to stop, then
# killed. Its output goes to $vm_output, which it opens itself: opening a FIFO
# waits for the reader. Sets child.
vm_start() {
	[ $vmm = qemu ] || net="$net,resolver=127.0.0.1:$port_dns"
	started_s=$(date +%s)
	(vm_exec "$@") </dev/null >"$vm_output" 2>"$work/errors" &
	child=$!
	pids="$pids $child"
	(
		sleep $((boot_limit_s * slow)) &
		trap 'kill $!; exit' TERM
		wait $!
		kill $child
		sleep 5 &
		wait $!
		kill -9 $child
	) 2>/dev/null >&2 &
	guard=$!
}

# Waits for the VMM's end. Sets status.
vm_wait() {
	status=0
	wait $child || status=$?
	kill $guard 2>/dev/null || :
	wait $guard 2>/dev/null || :
	pids=${pids% $child}
	net=${net%,resolver=*}
}

# report LABEL CHECKS CONSOLE: one line for each check that was asked for.
report() {
	for check in $(echo "$2" | tr , ' '); do
		line=$(grep -E "^MQ-(OK|FAIL|SKIP) $check( |\$)" "$3" | head -n 1)
		case $line in
		MQ-OK*) pass "$1: $check" ;;
		MQ-SKIP*) skip "$1: $check" "${line#MQ-SKIP $check }" ;;
		MQ-FAIL*) fail "$1: $check" "${line#MQ-FAIL $check }" ;;
		*) fail "$1: $check" "the guest never said" ;;
		esac
	done
}

# guest_boot LABEL CPUS MEMORY_MIB CHECKS [STATUS]: boots a guest that runs the
# checks and powers off; the VMM has to end with STATUS (0).
guest_boot() {
	label="$vmm $guest $1"
	before=$failed
	console=$work/console
	: >"$console"
	initrd_setup
	vm_output=$work/output
	vm_start "$2" "$3" "$(parameters "$2" "$3" "$4")" "$console"
	vm_wait
	sed -i 's/\r$//' "$console"
	report "$label" "$4" "$console"
	expect "$label: ends with status ${5:-0}" "${5:-0}" $status
	took "$1"
	if [ $failed -gt "$before" ] || [ -n "$verbose" ]; then
		cat "$work/output" "$work/errors" "$console" | comment
	fi
}

# guest_restarts LABEL CPUS MEMORY_MIB CHECKS BOOTS: a guest that reboots again
# and again; after so many boots SIGTERM ends the VMM.
guest_restarts() {
	label="$vmm $guest $1"
	before=$failed
	initrd_setup
	rm -f "$work/stdio"
	mkfifo "$work/stdio"
	reboot=yes
	vm_output=$work/stdio
	vm_start "$2" "$3" "$(parameters "$2" "$3" "$4") mq.then=reboot" stdio
	boots=0
	good=0
	: >"$work/console"
	while IFS= read -r text; do
		echo "$text" >>"$work/console"
		case $text in
		MQ-OK*) good=$((good + 1)) ;;
		MQ-END*)
			boots=$((boots + 1))
			[ $boots != "$5" ] || kill $child
			;;
		esac
	done <"$work/stdio"
	vm_wait
	reboot=no
	checks=$(echo "$4" | tr , '\n' | wc -l)
	expect "$label: $5 boots in a row pass $4" $((checks * $5)) $good
	expect "$label: SIGTERM stops it with status 0" 0 $status
	took "$1"
	if [ $failed -gt "$before" ] || [ -n "$verbose" ]; then
		cat "$work/errors" "$work/console" | comment
	fi
}

# guest_controlled LABEL CPUS MEMORY_MIB: mqvmm ctl tells what a guest has used.
guest_controlled() {
	label="$vmm $guest $1"
	before=$failed
	initrd_setup
	rm -f "$work/stdio" "$work/flows" "$work/stats"
	mkfifo "$work/stdio"
	reboot=yes
	vmm_extra="--control $work/control"
	vm_output=$work/stdio
	vm_start "$2" "$3" "$(parameters "$2" "$3" dhcp,udp) mq.then=reboot" stdio
	: >"$work/console"
	while IFS= read -r text; do
		echo "$text" >>"$work/console"
		case $text in
		MQ-END*)
			[ ! -e "$work/flows" ] || continue
			"$mqvmm" ctl "$work/control" flows >"$work/flows"
			"$mqvmm" ctl "$work/control" stats >"$work/stats"
			kill $child
			;;
		esac
	done <"$work/stdio"
	vm_wait
	reboot=no
	vmm_extra=
	expect "$label: ctl lists its flows" yes \
		"$(grep -Eq '^udp +10\.0\.2\.15:[0-9]+ .* mapping ' "$work/flows" && echo yes)"
	expect "$label: ctl tells its CPUs" "$2" \
		"$(awk '$1 == "vcpus" { print $2 }' "$work/stats")"
	expect "$label: its socket is gone" 1 "$([ -e "$work/control" ]; echo $?)"
	took "$1"
	if [ $failed -gt "$before" ] || [ -n "$verbose" ]; then
		cat "$work/errors" "$work/console" "$work/flows" | comment
	fi
}

# counted NAME: the sum of all counters of that name in $work/stats
counted() {
	tr '{,}' '\n' <"$work/stats" |
		awk -F: -v name="\"$1\"" '$1 == name { sum += $2 } END { print sum + 0 }'
}

# spent TRANSACTIONS: what a guest of 2 CPUs has counted of each of $names that
# booted, did so many connect/request/response/close, and went
spent() {
	: >"$console"
	vm_start 2 512 "$(parameters 2 512 crr) mq.flows=$flows mq.crr=$1" "$console"
	vm_wait
	sed -i 's/\r$//' "$console"
	grep -q '^MQ-OK crr$' "$console" && [ $status = 0 ] || return 1
	for name in $names; do counted "$name"; done
}

# guest_budget FLOWS NAME=MOST...: a transaction costs MOST of each counter at
# most, as the difference of two guests tells that do more and fewer of them,
# $budget_more and $budget_fewer.
guest_budget() {
	flows=$1
	shift
	console=$work/console
	names=$(echo "$*" | sed 's/=[^ ]*//g')
	initrd_setup
	vm_output=$work/output
	vmm_extra="--stats $work/stats"
	few=$(spent $budget_fewer) && echo "# M=$flows: half counted" && many=$(spent $budget_more) || few='' many=''
	vmm_extra=
	place=0
	for budget; do
		place=$((place + 1))
		# shellcheck disable=SC2086 # numbers, as many as names
		each=$(echo $few $many | awk -v n=$# -v i=$place \
			-v count=$((budget_more - budget_fewer)) 'NF == 2 * n {
			printf "%.2f", ($(n + i) - $i) / count }')
		label="$vmm $guest M=$flows: ${budget%=*} of a transaction: ${budget#*=} at most"
		if awk "BEGIN { exit !(${each:-0} > 0 && ${each:-0} <= ${budget#*=}) }"; then
			echo "# M=$flows: $each ${budget%=*} for a transaction"
			pass "$label"
		else
			fail "$label" "it took ${each:-an end without an answer}"
		fi
	done
}
