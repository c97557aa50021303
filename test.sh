#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# test.sh [--tiers LIST] [--build DIR] [CMAKE-OPTION...]
#
# Installs what is missing, builds, and runs the tests of the tiers unit, device,
# net and guest (or those of LIST, separated by commas). The last line is
# "N passed, N failed, N skipped"; the exit status tells whether all passed.
set -euo pipefail
cd "$(dirname "$0")"

tiers=unit,device,net,guest
build=$PWD/build
while [ $# -gt 0 ]; do
	case $1 in
	--help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
	--tiers) tiers=$2; shift 2 ;;
	--build) build=$2; shift 2 ;;
	-D*) break ;;
	*) echo "test.sh: there is no option '$1': see --help" >&2; exit 2 ;;
	esac
done

passed=0 failed=0 skipped=0

# count TEXT: adds what a line "N passed, N failed, N skipped" says
count() {
	# shellcheck disable=SC2046 # three numbers
	set -- $(tr -dc '0-9 ' <<<"$1")
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

has_tier() {
	[[ ,$tiers, = *,$1,* ]]
}

# totals_of FILE STATUS: the last line of FILE when it tells totals that agree
# with the exit status; else one failure.
totals_of() {
	local totals

	totals=$(tail -n 1 "$1" 2>/dev/null | tr -d '\r')
	[[ $totals =~ ^[0-9]+\ passed,\ [0-9]+\ failed,\ [0-9]+\ skipped$ ]] ||
		totals="0 passed, 1 failed, 0 skipped"
	if [ "$2" != 0 ] && [[ $totals = *", 0 failed,"* ]]; then
		totals=${totals/, 0 failed/, 1 failed}
	fi
	echo "$totals"
}

# run_ctest TIER JOBS: the checks in each test program are counted
run_ctest() {
	local log=$build/$1.log results=$build/$1.xml status=0 totals

	has_tier "$1" || return 0
	echo "== $1 tier"
	rm -f "$results"
	timeout -k 10 1200 ctest --test-dir "$build" -L "^$1\$" -j "$2" \
		--timeout 180 --no-tests=error --output-on-failure \
		--test-output-size-passed 1000000 --output-junit "$results" \
		>"$log" 2>&1 </dev/null || status=$?
	awk -f .ci/count-tests.awk "$results" >"$results.totals" 2>&1 || :
	grep '^skipped: ' "$results.totals" || :
	totals=$(totals_of "$results.totals" $status)
	[ $status = 0 ] || grep -v '^ *Start \| Passed ' "$log" | tail -n 200
	echo "$totals"
	count "$totals"
}

# run_guest NAME COMMAND...: COMMAND's last line is its totals
run_guest() {
	local name=$1 log=$build/guest-$1.log status=0 totals

	shift
	echo "== guest tier, $name"
	timeout -k 10 1500 "$@" >"$log" 2>&1 </dev/null || status=$?
	grep -E '^(not ok|ok .*# SKIP|#)' "$log" || :
	totals=$(totals_of "$log" $status)
	[ "$totals" = "$(tail -n 1 "$log")" ] || tail -n 20 "$log"
	echo "$totals"
	count "$totals"
}

guest_tier() {
	local mqvmm=$build/src/mqvmm mqload=$build/bench/load/mqload
	local images=$build/guest native nodes

	has_tier guest || return 0
	native=$("$mqvmm" doctor --json 2>/dev/null |
		sed -n 's/.*"guest": *"\([a-z0-9]*\)".*/\1/p')
	apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 ||
		$([ "$(id -u)" = 0 ] || echo sudo) apt-get -qq update
	for kind in ${native/none/} stock; do
		timeout 600 bench/guest/build-images.sh \
			--tools "$build/bench/load:$build/bench/guest" \
			"$images" "$kind" >"$build/images-$kind.log" 2>&1 ||
			{ tail -n 20 "$build/images-$kind.log"; return 1; }
	done
	case $native in
	stock | cpl3)
		run_guest "$native on this host's KVM" tests/guest/run.sh \
			--mqvmm "$mqvmm" --mqload "$mqload" \
			--images "$images" --guest "$native" ;;
	*)
		echo "skipped: no usable KVM here, only the rig is run"
		skipped=$((skipped + 1)) ;;
	esac
	run_guest "stock in the nested rig" tests/guest/rig.sh \
		--mqvmm "$mqvmm" --mqload "$mqload" --images "$images"
	for nodes in 2 4; do
		run_guest "rig with $nodes NUMA nodes" tests/guest/rig.sh --numa $nodes \
			--mqvmm "$mqvmm" --mqload "$mqload" --images "$images"
	done
}

.ci/install-packages.sh
timeout 600 cmake -S . -B "$build" -G Ninja "$@" >"$build.cmake.log" 2>&1 ||
	{ tail -n 30 "$build.cmake.log"; exit 1; }
timeout 1200 ninja -C "$build" >"$build.ninja.log" 2>&1 ||
	{ grep -E 'error|FAILED|warning' -A5 "$build.ninja.log" | head -n 60; exit 1; }
run_ctest unit 2
run_ctest device 2
run_ctest net 2
guest_tier || failed=$((failed + 1))
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
