#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ab.sh REV_A REV_B [OPTION]...
#
# Builds two revisions, measures them side by side in interleaved rounds, and
# tells by how much B differs from A where that is more than the noise. Options
# are those of `mqvmm bench`; without them: --systems netns --output ab. Both
# are measured by this checkout's bench and the load generator of B. Exit status
# 1 when something is worse.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

[ $# -ge 2 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
declare -A revision
for label in a b; do
	revision[$label]=$(git -C "$root" rev-parse --verify --quiet "$1^{commit}") ||
		{ echo "ab.sh: there is no revision '$1'" >&2; exit 2; }
	shift
done
output=ab
options=(--systems netns --output "$output" "$@")
for ((i = 0; i < ${#options[@]}; i++)); do
	case ${options[i]} in
	--output) output=${options[i + 1]:-} ;;
	--output=*) output=${options[i]#*=} ;;
	--programs*)
		echo "ab.sh: --programs is what it sets itself; use mqvmm bench" >&2
		exit 2
		;;
	esac
done

work=$(mktemp -d)
chmod 755 "$work"
cleanup() {
	for label in a b; do
		git -C "$root" worktree remove --force "$work/$label" 2>/dev/null || :
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

for label in a b; do
	echo "building $label: $(git -C "$root" log -1 --format='%h %s' "${revision[$label]}")" >&2
	git -C "$root" worktree add --quiet --detach "$work/$label" "${revision[$label]}"
	{
		cmake -S "$work/$label" -B "$work/build-$label" -G Ninja -DMQVMM_TESTS=OFF &&
			ninja -C "$work/build-$label" mqvmm mqload
	} >"$work/log" 2>&1 </dev/null || { tail -n 30 "$work/log" >&2; exit 1; }
done
# Status 1: samples were lost. The comparison tells which, of those that are left.
status=0
MQVMM=$work/build-b/src/mqvmm "$root/bench/mqvmm-bench" \
	--programs "a=$work/build-a/src/mqvmm,b=$work/build-b/src/mqvmm" "${options[@]}" ||
	status=$?
[ $status -le 1 ] || exit $status
"$root/bench/mqvmm-bench" compare "$output/samples-a.json" "$output/samples-b.json"
