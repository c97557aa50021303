# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# 200,000 short connections.

crr_has_no_error() {
	local port
	for port in $(seq 9001 9008); do
		guest_shell "$more_ports; '$mqload' crr --to 10.0.2.2:$port \
			--flows 8 --count 25000" >"$work/crr" ||
			{ cat "$work/crr"; return 1; }
		cat "$work/crr"
		grep -q 'done=25000 .*errors=0' "$work/crr" || return 1
	done
}

for port in $(seq 9001 9008); do
	serve t "$port" "$mqload" server --port "$port"
done
check "200,000 CRR without an error" crr_has_no_error
