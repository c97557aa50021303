# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# curl, and nginx under wrk, both ways.

. "$(dirname "$0")/programs/nginx.sh"

curl_gets_what_is_served() { # HOST
	guest curl -sSf --max-time 30 -o "$work/got" "http://$1:8000/large" &&
		cmp "$work/got" "$work/www/large"
}

curl_posts_what_arrives() {
	local kept
	guest curl -sSf --max-time 30 -D "$work/headers" -o /dev/null \
		--data-binary "@$work/www/large" http://10.0.2.2:8000/post
	kept=$(tr -d '\r' <"$work/headers" | sed -n 's/^File: //p')
	cmp "$kept" "$work/www/large"
}

curl_gets_many_at_once() {
	guest curl -sSf --max-time 30 --parallel --parallel-max 50 \
		-o "$work/got.#1" "http://10.0.2.2:8000/small?[1-200]" || return 1
	for i in $(seq 200); do
		cmp "$work/got.$i" "$work/www/small" || return 1
	done
}

# without_errors: what wrk says, on standard input
without_errors() {
	tee "$work/wrk" >&2
	grep 'Requests/sec: *[1-9]' "$work/wrk" &&
		! grep 'Socket errors\|Non-2xx' "$work/wrk"
}

nginx_of_the_host_serves_wrk() {
	guest wrk -t 2 -c 64 -d 3s http://10.0.2.2:8000/small | without_errors
}

nginx_of_the_guest_serves_wrk() {
	local nginx status
	write_nginx_config "$work/guest.conf" 8001 10.0.2.15
	options=(--net "hostfwd=tcp:127.0.0.1:8001-:8001")
	guest nginx -c "$work/guest.conf" &
	nginx=$!
	servers+=("$nginx")
	options=()
	within 10 curl -sf -o /dev/null http://127.0.0.1:8001/ok &&
		wrk -t 2 -c 64 -d 3s http://127.0.0.1:8001/small |
		without_errors
	status=$?
	kill "$nginx"
	wait "$nginx"
	return $status
}

need curl wrk
start_nginx
check "curl gets what is served" curl_gets_what_is_served 10.0.2.2
[ ! -e /proc/net/if_inet6 ] || check "curl gets what is served by IPv6" \
	curl_gets_what_is_served "[fec0::2]"
check "curl posts what arrives" curl_posts_what_arrives
check "200 files by curl, 50 at once" curl_gets_many_at_once
check "wrk has no errors with the host's nginx" \
	nginx_of_the_host_serves_wrk
check "wrk has no errors with the guest's nginx" \
	nginx_of_the_guest_serves_wrk
