# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# 2,000 connections that are held, and each used.

. "$(dirname "$0")/programs/nginx.sh"

# use_all COUNT: as many connections at once, each used after all are there
use_all() {
	local fds=() line fd
	for _ in $(seq "$1"); do
		exec {fd}<>/dev/tcp/10.0.2.2/8000
		fds+=("$fd")
	done
	for fd in "${fds[@]}"; do
		printf 'GET /ok HTTP/1.1\r\nHost: x\r\n\r\n' >&"$fd"
	done
	for fd in "${fds[@]}"; do
		read -r -t 10 line <&"$fd"
		[ "$line" = $'HTTP/1.1 200 OK\r' ]
	done
	[ "$(ss -Htn state established | wc -l)" -ge "$1" ]
}
export -f use_all

start_nginx
check "2,000 connections at once, each used" guest_shell "use_all 2000"
