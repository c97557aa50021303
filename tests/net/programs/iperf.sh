# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# iperf3: TCP and UDP, both ways.

# iperf OPTION...: what the receiver got is in the last line
iperf() {
	guest iperf3 -c 10.0.2.2 -p 5201 -t 2 "$@" | tee "$work/iperf" >&2
	grep -q '[1-9].*bits/sec.*receiver' "$work/iperf"
}

# Datagrams may be lost when the machine is busy; here, a few.
few_datagrams_are_lost() { # OPTION...
	iperf -u -b 50M "$@" || return 1
	local lost
	lost=$(sed -n 's/.*(\([0-9.]*\)%) *receiver.*/\1/p' "$work/iperf")
	[ "${lost%%.*}" -lt 20 ]
}

need iperf3
serve t 5201 iperf3 -s -p 5201
check "iperf3 to the host" iperf
check "iperf3 from the host" iperf -R
check "iperf3 to the host, 4 at once" iperf -P 4
check "iperf3 from the host, 4 at once" iperf -P 4 -R
check "iperf3 to the host by UDP" few_datagrams_are_lost -l 1400
check "iperf3 from the host by UDP" few_datagrams_are_lost -l 1400 -R
check "iperf3 by UDP, datagrams of 60,000 bytes" \
	few_datagrams_are_lost -l 60000
