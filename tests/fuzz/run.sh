#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh TARGET SECONDS [LIBFUZZER-OPTION...]
#
# Builds a fuzz target with clang's libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer in build-fuzz, and runs it, beginning with its corpus.
# What it finds is minimised into the corpus; what it dies of lies in
# build-fuzz/crashes, and the exit status is not 0. Without arguments it names the
# targets.
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

# The smallest inputs that reach all that these and the corpus reach.
rm -rf "$build/minimised" && mkdir "$build/minimised"
"$build/tests/fuzz_$target" -merge=1 -max_len=4096 "$build/minimised" \
	"$corpus" "$found" 2>>"$build.log"
rm -rf "$corpus" && mv "$build/minimised" "$corpus"
du -sh "$corpus"
exit $status
