# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# redis-benchmark, with and without pipelines.

redis_benchmark_has_no_errors() {
	guest redis-benchmark -h 10.0.2.2 -c 50 -n 20000 -d 1000 --csv \
		-t set,get,lpush,lrange_100 | tee "$work/redis" >&2
	[ "$(grep -c '^"[A-Z].*","[1-9]' "$work/redis")" = 5 ]
}

redis_pipelines() {
	guest redis-benchmark -h 10.0.2.2 -c 20 -n 100000 -P 100 --csv -t set,get |
		tee "$work/redis" >&2
	[ "$(grep -c '^"[A-Z].*","[1-9]' "$work/redis")" = 2 ]
}

redis_keeps_a_large_value() {
	numbers 20000000 >"$work/value"
	guest_shell "redis-cli -h 10.0.2.2 -x set value <$work/value
		redis-cli -h 10.0.2.2 get value >$work/kept" &&
		cmp -n 20000000 "$work/value" "$work/kept"
}

need redis-benchmark redis-cli redis-check-rdb
# The package redis-tools has the server's program under another name.
ln -s "$(command -v redis-check-rdb)" "$work/redis-server"
serve t 6379 "$work/redis-server" --bind 127.0.0.1 --save '' \
	--dir "$work" --logfile "$work/redis.log"
check "redis-benchmark has no errors" redis_benchmark_has_no_errors
check "redis-benchmark has no errors with pipelines" redis_pipelines
check "redis keeps a large value" redis_keeps_a_large_value
