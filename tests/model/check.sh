#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh: let spin look at every run of the protocol that moves flows, and make
# sure that it finds fault with protocols that lack one rule. Exit status: 0
# passed, 1 failed, 77 skipped.
model=$(cd "$(dirname "$0")" && pwd)/move.pml
command -v spin >/dev/null || {
	echo "skipped: spin is not installed"
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# build DEFINE...: make the program that looks at every run of the model
build() {
	model_is=$*
	spin -a "${@/#/-D}" "$model" >spin.log 2>&1 &&
		cc -O1 -w -DCOLLAPSE -o pan pan.c && return
	echo "not ok - spin cannot read the model: $(cat spin.log)"
	exit 1
}

# expect ERRORS PROPERTY: of the model that was built. A search that was not
# finished has a depth or a memory that it ran into.
expect() {
	local want=$1 property=$2 got
	./pan -a -m1000000 -N "$property" >pan.log 2>&1
	got=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.log)
	if [ "$got" = "$want" ] && ! grep -qE 'too small|out of memory' pan.log; then
		echo "ok - $property: $want errors with $model_is"
	else
		echo "not ok - $property: ${got:-no} errors, not $want, with $model_is"
		cat pan.log
		failed=1
	fi
}

build FRAMES=2 ENDS
expect 0 single
build FRAMES=1 ENDS BUSY
expect 0 single
expect 0 settled
build FRAMES=2
expect 0 settled
# Without the grace period C's frames are overtaken, without keeping B's are.
build FRAMES=2 NO_GRACE
expect 1 single
build FRAMES=2 NO_KEEP
expect 1 single
# Frames wait for ever for a flow whose end nobody tells of, or are lost.
build FRAMES=1 ENDS NO_END
expect 1 settled
build FRAMES=1 BUSY NO_RETURN
expect 1 settled
exit $failed
