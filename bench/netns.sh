#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# netns.sh --build DIR [--queues N] [--rounds N] [--seconds S] [--systems LIST]
#
# One client, in this host's own namespace (direct), behind `mqvmm netns`, and
# behind pasta where it is installed, against servers on this host's loopback, in
# rounds that interleave the systems (ABC, CBA, ...). Every sample is printed,
# then their medians as a Markdown table, with ratios to direct. Needs root only
# where pasta does.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build queues=2 rounds=3 seconds=2 systems=direct,mqvmm,pasta

while [ $# -ge 2 ]; do
	case $1 in
	--build) build=$2 ;;
	--queues) queues=$2 ;;
	--rounds) rounds=$2 ;;
	--seconds) seconds=$2 ;;
	--systems) systems=$2 ;;
	*) echo "netns.sh: there is no option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done
mqvmm=$build/src/mqvmm mqload=$build/bench/load/mqload
runas=$([ "$(id -u)" != 0 ] || echo "--runas 0:0")
command -v pasta >/dev/null || systems=$(echo "$systems" | sed 's/,\{0,1\}pasta//')
host=$(ip route | awk '$1 == "default" { print $3; exit }')
work=$(mktemp -d)
chmod 755 "$work"
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# A server for each sample: what earlier ones left in TIME_WAIT is not in the way.
serve() {
	rm -f "$work/port"
	mkfifo "$work/port"
	"$mqload" server --port 0 >"$work/port" &
	server=$!
	read -r _ port <"$work/port"
}

# client SYSTEM MODE FLOWS
client() {
	local to command
	case $1 in
	direct) to=127.0.0.1 command=() ;;
	mqvmm) to=10.0.2.2 command=("$mqvmm" netns --queues "$queues" --) ;;
	pasta) to=$host command=(pasta $runas --quiet --config-net --) ;;
	esac
	timeout -k 5 $((seconds + 30)) "${command[@]}" "$mqload" "$2" \
		--to "$to:$port" --flows "$3" --seconds "$seconds"
}

sample() {
	serve
	client "$@" >"$work/out" 2>&1 || echo "$1 $2: failed" >&2
	sed -n "s/^\(crr\|rr\|up\|down\) /$1 \1 /p" "$work/out" |
		tee -a "$work/samples"
	kill "$server"
	wait "$server" 2>/dev/null || :
	server=
}

report() {
	awk -v systems="$systems" '
	function field(name,    i, pair) {
		for (i = 1; i <= NF; i++) {
			split($i, pair, "=")
			if (pair[1] == name) return pair[2]
		}
	}
	function add(key, value) { list[key] = list[key] " " value }
	function median(key,    n, v, i, j, t) {
		n = split(list[key], v, " ")
		for (i = 1; i <= n; i++)
			for (j = i + 1; j <= n; j++)
				if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
		return n ? v[int((n + 1) / 2)] : "-"
	}
	function ratio(s, key,    base, mine) {
		base = median("direct " key)
		mine = median(s " " key)
		return base + 0 ? sprintf("%s (%.2f)", mine, mine / base) : mine
	}
	{
		key = $2 " " field("flows")
		errors[$1] += field("errors")
		add($1 " " key " rate", int(field("rate")))
		add($1 " " key " p50", int(field("p50_us")))
		add($1 " " key " p99", int(field("p99_us")))
		add($1 " " key " gbps", sprintf("%.1f", field("mbps") / 1000))
	}
	END {
		n = split(systems, system_, ",")
		m = split("crr 1 rate,crr 1 p50,crr 1 p99,crr 2 rate,crr 2 p50,crr 4 rate,crr 4 p50,crr 8 rate,crr 8 p50,crr 8 p99,rr 1 p50,rr 8 rate,up 1 gbps,up 4 gbps,down 1 gbps,down 4 gbps", row, ",")
		line = "| |"; rule = "| --- |"
		for (i = 1; i <= n; i++) { line = line " " system_[i] " |"; rule = rule " --- |" }
		print line; print rule
		for (r = 1; r <= m; r++) {
			split(row[r], part, " ")
			line = "| " toupper(part[1]) " M=" part[2] " " part[3] " |"
			for (i = 1; i <= n; i++) line = line " " ratio(system_[i], row[r]) " |"
			print line
		}
		line = "| errors |"
		for (i = 1; i <= n; i++) line = line " " errors[system_[i]] + 0 " |"
		print line
	}' "$work/samples"
}

: >"$work/samples"
order=${systems//,/ }
for round in $(seq "$rounds"); do
	for work_item in "crr 1" "crr 2" "crr 4" "crr 8" "rr 1" "rr 8" "up 1" "up 4" "down 1" "down 4"; do
		echo "round $round of $rounds: $work_item" >&2
		for system in $order; do
			# shellcheck disable=SC2086 # two words
			sample "$system" $work_item
		done
	done
	order=$(echo "$order" | awk '{ for (i = NF; i; i--) printf "%s ", $i }')
done
report
