# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nmap: what is open, and what is not.

# nmap_finds STATE OPTION... PORTS: exactly these are in this state
nmap_finds() {
	local state=$1 want=${*: -1}
	guest nmap -n -Pn --max-retries 3 -oG "$work/nmap" "${@:2:$#-2}" 192.0.2.1
	[ "$(grep -o "[0-9]*/$state/" "$work/nmap" | cut -d/ -f1 | paste -sd,)" \
		= "$want" ]
}

need nmap socat
for port in 7003 7040 7077; do
	serve t $port socat TCP-LISTEN:$port,fork,reuseaddr EXEC:true
done
check "nmap -sT finds the open ports, and only those" \
	nmap_finds open -sT -p 7000-7999 7003,7040,7077
