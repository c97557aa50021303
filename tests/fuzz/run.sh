#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh TARGET SECONDS [LIBFUZZER-OPTION...]
#
# Builds a fuzz target with clang's libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer in build-fuzz, and runs it, beginning with its corpus.
# What it finds is minimised into the corpus; what it dies of lies in
# build-fuzz/crashes, and the exit status is not 0. Give such an input a name in the
# corpus once it is mended. Without arguments the targets are named.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# -lt 2 ]; then
	echo "usage: run.sh TARGET SECONDS [LIBFUZZER-OPTION...]; targets:"
	ls tests/fuzz/corpus
	exit 2
fi
target=$1 seconds=$2
shift 2
build=$PWD/build-fuzz corpus=$PWD/tests/fuzz/corpus/$target
found=$build/found/$target crashes=$build/crashes/$target

cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang \
	-DMQVMM_SANITIZER=fuzzer >"$build.log"
ninja -C "$build" "fuzz_$target" >>"$build.log" || { tail "$build.log"; exit 1; }
mkdir -p "$found" "$crashes" "$corpus"

# UBSan's reports come with where they are from.
export UBSAN_OPTIONS=print_stacktrace=1
status=0
"$build/tests/fuzz_$target" -max_total_time="$seconds" -timeout=20 -max_len=4096 \
	-print_final_stats=1 -artifact_prefix="$crashes/" "$@" \
	"$found" "$corpus" || status=$?

# Files with names that people gave stay; of the others as few and as small ones as
# reach the same.
rm -rf "$build/minimised" && mkdir "$build/minimised"
find "$corpus" -type f | grep -vE '/[0-9a-f]{40}$' |
	xargs -r cp -t "$build/minimised"
"$build/tests/fuzz_$target" -set_cover_merge=1 -use_counters=0 -max_len=4096 \
	"$build/minimised" "$corpus" "$found" 2>>"$build.log"
rm -rf "$corpus" && mv "$build/minimised" "$corpus"
cat "$corpus"/* | wc -c
exit $status
