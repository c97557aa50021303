# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nmap: what is open, and what is not.

# nmap_finds OPTION... RANGE PORTS: exactly these are open, all others closed
nmap_finds() {
	local range=${*: -2:1} want=${*: -1} open others
	guest nmap -n -Pn --max-retries 3 -oG "$work/nmap" "${@:1:$#-2}" \
		-p "$range" 192.0.2.1
	open=$(grep -o '[0-9]*/open/' "$work/nmap" | cut -d/ -f1 | paste -sd,)
	others=$((${range#*-} - ${range%-*} + 1 - $(wc -w <<<"${want//,/ }")))
	[ "$open" = "$want" ] &&
		grep "Ignored State: closed ($others)" "$work/nmap"
}

need nmap socat
# A connection from a port that is scanned to itself is answered by itself, as TCP
# has it; here no port of that range is chosen for one.
echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range
for port in 7003 7040 7077; do
	serve t $port socat TCP-LISTEN:$port,fork,reuseaddr EXEC:true
done
for port in 7010 7030; do
	serve u $port socat UDP-RECVFROM:$port,fork EXEC:'echo here'
done
check "nmap -sT finds the open ports, and only those" \
	nmap_finds -sT 7000-7999 7003,7040,7077
check "nmap -sU finds the open ports, and only those" \
	nmap_finds -sU 7000-7039 7010,7030
