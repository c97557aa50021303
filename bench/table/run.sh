#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# bench/table/run.sh BUILDDIR [options of table_bench]: measure the flow table.
set -eu
build=${1:?usage: bench/table/run.sh BUILDDIR [--flows N] [--shards N]}
shift
exec "$build/bench/table/table_bench" \
	--commit "$(git -C "$(dirname "$0")" describe --always --dirty)" "$@"
